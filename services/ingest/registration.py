"""What may be registered as a repository, and what it is called."""

import re
from collections.abc import Set as AbstractSet
from itertools import count
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from shared.faults import Refused
from shared.git.address import REMOTE_CHARACTERS_MAX, parse_address
from shared.ids import Repository

NAME_CHARACTERS_MAX = 200

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_SCP_PATH = re.compile(r"[^/]*:(?P<path>.*)")


def check_remote(remote: str) -> str:
    """Return the remote as it will be used; Refused if it must not be."""
    address = parse_address(remote)
    if address.authorization:
        raise Refused(
            "a remote with a name or password in it would be written into every event; "
            "give the URL without them"
        )
    return address.url if address.protocol == "file" else remote


def is_path(remote: str) -> bool:
    """Tell whether the remote is a folder of this machine."""
    return remote.startswith("/")


def check_name(name: str) -> Repository:
    """Return a name that somebody chose; Refused if it is not one."""
    if len(name) > NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
        raise Refused(
            f"{name[:80]!a} is not a name for a repository: letters, digits, '.', '_', '-', "
            "in parts joined by '/'"
        )
    return Repository(name)


def name_for(remote: str, taken: AbstractSet[str]) -> Repository:
    """Return `owner/name` of a URL, the folder's name of a path, numbered if that is taken."""
    name = _name_in(remote[:REMOTE_CHARACTERS_MAX])
    numbered = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return Repository(next(candidate for candidate in numbered if candidate not in taken))


def _name_in(remote: str) -> str:
    parts = PurePosixPath(_path_in(remote)).parts
    wanted = [_fit(part) for part in (parts[-1:] if is_path(remote) else parts[-2:])]
    return "/".join(part for part in wanted if part)[:NAME_CHARACTERS_MAX] or "repository"


def _path_in(remote: str) -> str:
    if is_path(remote):
        return remote.removesuffix("/").removesuffix("/.git").removesuffix(".git")
    path = urlsplit(remote).path
    if "://" not in remote and (match := _SCP_PATH.match(remote)):
        path = match["path"]
    return path.removesuffix("/").removesuffix(".git")


def _fit(part: str) -> str:
    return _UNFIT.sub("-", part).strip(".-")
