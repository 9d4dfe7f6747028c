"""Remotes, branch and tag names as strangers write them, judged before git sees them.

Each remote may use its own protocol and no other, also after a redirect: `ext::`, `fd::` and other
transports that start programs have no form here that is accepted. Names and passwords written into
an http(s) URL travel in git's environment, never on a command line that other users can list.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NewType
from urllib.parse import SplitResult, unquote, urlsplit

from shared.faults import Refused
from shared.ids import Commit
from shared.ref_name import is_ref_name

REMOTE_CHARACTERS_MAX = 2_000

BranchName = NewType("BranchName", str)
TagName = NewType("TagName", str)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BLANK = re.compile(r"\s")
_USERINFO = re.compile(r"(://)[^/\s]*@")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?|[0-9A-Fa-f:.]+")
_SCP = re.compile(r"(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@(?P<host>[^:/@]+):(?P<path>[^:-].*)")
_SSH_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class Address:
    """A remote that may be handed to git."""

    url: str  # without userinfo, unless it is an ssh user
    protocol: str  # the only one git may use for it: file, http, https, ssh
    shown: str  # for people: no credentials
    folder: str  # of its mirror, derived from the whole remote
    authorization: str = field(default="", repr=False)  # an HTTP header's value


def redacted(text: str) -> str:
    """Return the text with what stands before `@` in any URL blanked out."""
    return _USERINFO.sub(r"\1***@", text)


def parse_address(remote: str) -> Address:
    """Return where a remote is; Refused if git must not be pointed at it."""
    if not remote or len(remote) > REMOTE_CHARACTERS_MAX or _CONTROL.search(remote):
        raise Refused("the remote is empty, too long, or has control characters in it")
    if remote.startswith("/"):
        return _address(remote, remote, "file")
    if _BLANK.search(remote):
        raise _refused(remote)
    if "://" in remote:
        return _url_address(remote)
    if match := _SCP.fullmatch(remote):
        _check_host(match["host"], remote)
        return _address(remote, remote, "ssh")
    raise _refused(remote)


def check_branch(name: str) -> BranchName:
    """Return the name if it can be a branch's; Refused otherwise."""
    if not is_ref_name(name):
        raise Refused(f"{name[:80]!a} is not a name that a branch can have")
    return BranchName(name)


def check_tag(name: str) -> TagName:
    """Return the name if it can be a tag's; Refused otherwise."""
    if not is_ref_name(name):
        raise Refused(f"{name[:80]!a} is not a name that a tag can have")
    return TagName(name)


def check_commit(commit: str) -> Commit:
    """Return the id if it is a whole one; abbreviations and names are refused."""
    if not _COMMIT.fullmatch(commit):
        raise Refused(f"{commit[:80]!a} is not a commit id: 40 or 64 lower-case hex digits")
    return Commit(commit)


def _url_address(remote: str) -> Address:
    try:
        parts = urlsplit(remote)
        port = parts.port
    except ValueError:
        raise _refused(remote) from None
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return _file_address(remote, unquote(parts.path))
    if parts.scheme not in {"http", "https", "ssh"} or not parts.path.strip("/"):
        raise _refused(remote)
    _check_host(parts.hostname or "", remote)
    if parts.scheme == "ssh":
        return _ssh_address(remote, parts)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    place = f"{host}:{port}" if port else f"{host}"
    bare = parts._replace(netloc=place).geturl()
    return _address(remote, bare, parts.scheme, _authorization(parts))


def _file_address(remote: str, path: str) -> Address:
    if not path.startswith("/") or _CONTROL.search(path):
        raise _refused(remote)
    return _address(remote, path, "file")


def _ssh_address(remote: str, parts: SplitResult) -> Address:
    if parts.password is not None or not _SSH_USER.fullmatch(parts.username or "git"):
        raise _refused(remote)
    return _address(remote, remote, "ssh")


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def _check_host(host: str, remote: str) -> None:
    """Refuse hosts that a program could take for one of its options."""
    if not _HOST.fullmatch(host):
        raise _refused(remote)


def _address(remote: str, url: str, protocol: str, authorization: str = "") -> Address:
    folder = sha256(remote.encode(errors="surrogateescape")).hexdigest()[:32] + ".git"
    return Address(url, protocol, redacted(remote), folder, authorization)


def _refused(remote: str) -> Refused:
    shown = ascii(redacted(remote)[:200])
    return Refused(
        f"{shown} is not a remote that Windlass reads from: use https://, http://, ssh://, "
        "user@host:path or an absolute path"
    )
