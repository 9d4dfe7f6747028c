"""A route: which release answers on which address. And its form on the disk."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

LOOPBACK = "127.0.0.1"
PORT_MAX = 65_535
ROUTE_BYTES_MAX = 64 * 1024  # of a route's file; ours have a few hundred
PART = ".part"  # ends the name of what is just being written, or was when its writer was killed

Kind = Literal["server", "static"]
Address = tuple[str, int]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~+-]{0,240}")
_MARKER = re.compile(r"[!-~]{0,200}")  # goes into a header as it is


@dataclass(frozen=True, slots=True)
class Route:
    """One address and the release behind it."""

    name: str  # unique; also the file's name
    port: int
    kind: Kind
    release: str
    revision: int
    commit: str
    upstream_port: int = 0  # server: where the release listens on loopback
    root: str = ""  # static: the release's folder
    host: str = LOOPBACK
    folder: str = ""  # of the release, and of the one that had the address before:
    replaces: str = ""  # for those who set routes, nothing to the gateway itself

    @property
    def address(self) -> Address:
        """Return where it listens."""
        return self.host, self.port


def encode(route: Route) -> bytes:
    """Return the route as it stands in its file."""
    return json.dumps(asdict(route), indent=1).encode() + b"\n"


def decode(name: str, content: bytes) -> Route | str:
    """Return the route in a file called `name`, or why there is none."""
    try:
        document = json.loads(content)
    except ValueError:
        return "its file is not JSON"
    if not isinstance(document, dict):
        return "its file does not hold an object"
    known = {field.name for field in fields(Route)}
    try:
        route = Route(**{key: value for key, value in document.items() if key in known})
    except TypeError:
        return "its file lacks a part of the route"
    return route_problem(route, name) or route


def route_problem(route: Route, name: str) -> str:
    """Return what is wrong with a route, or the empty string."""
    texts = (route.name, route.host, route.release, route.commit, route.root, route.folder, route.replaces)
    if not all(isinstance(text, str) for text in texts) or not _NAME.fullmatch(route.name):
        return "its texts are not texts"
    if route.name != name:
        return "it bears another name than its file"
    if not _is_port(route.port) or not isinstance(route.revision, int):
        return "its port or revision is no number that could be one"
    if route.kind not in get_args(Kind):
        return "it is neither a server nor static"
    if route.kind == "server" and not _is_port(route.upstream_port):
        return "it has no port to pass requests on to"
    if route.kind == "static" and not Path(route.root).is_absolute():
        return "it has no folder to serve"
    return "" if _MARKER.fullmatch(route.release) else "its release cannot stand in a header"


def read_routes(folder: Path) -> tuple[Mapping[str, Route], Mapping[str, str]]:
    """Return the routes in a folder, and what is wrong with the others, both by name."""
    routes: dict[str, Route] = {}
    problems: dict[str, str] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            with file.open("rb") as stream:
                found = decode(file.stem, stream.read(ROUTE_BYTES_MAX))
        except FileNotFoundError:  # removed since it was listed
            continue
        except OSError as exc:
            found = f"its file cannot be read: {exc.strerror}"
        if isinstance(found, Route):
            routes[file.stem] = found
        else:
            problems[file.stem] = found
    return routes, problems


def replace_file(file: Path, content: bytes) -> None:
    """Put `content` under a name as a whole, and durably; of several who do so at once the last wins."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=PART, dir=file.parent)
    part = Path(name)
    try:
        with open(descriptor, "wb") as stream:  # noqa: PTH123 - a descriptor has no path
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    flush(file.parent)


def flush(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def as_json(file: Path) -> Mapping[str, Any]:
    """Return the object in a file; an empty one when there is none, or no object."""
    try:
        document = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _is_port(port: object) -> bool:
    return isinstance(port, int) and 0 < port <= PORT_MAX
