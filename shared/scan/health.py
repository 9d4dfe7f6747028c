"""Which path of a server is worth asking for: what its programs and containers say.

A guess with its evidence: a path that looks like a health check where routes are written, or in a health
check of a container or an installation. Without one, `/` is asked for.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.scan.result import Evidence, Scan, Service
from shared.scan.tree import SOURCE_BYTES_MAX, Tree
from shared.scan.view import is_looked_into

READS_MAX = 120  # of all services together
READS_EACH_MAX = 20
DEPTH_MAX = 3  # folders below the service's own
SOURCES = (".py", ".js", ".mjs", ".cjs", ".ts", ".go", ".rb", ".rs", ".java", ".kt", ".php", ".ex", ".cs")

_WORDS = r"health|healthz|healthcheck|health-check|_health|livez|readyz|ready|ping"
_ROUTE = re.compile(rf"([\"'`])(?P<path>/(?:(?:api|v1|api/v1|actuator)/)?(?:{_WORDS})/?)\1")
_PROBED = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::[0-9]+|:\$\{?[A-Z_]+(?::-[0-9]+)?\}?)?"
    r"(?P<path>/[A-Za-z0-9._~/-]{0,99})"
)
_RAILS = re.compile(r"[\"']/?(?P<path>up)[\"']\s*=>\s*[\"']rails/health")
_ROOT = re.compile(r"\(\s*[\"'`]/[\"'`]")


@dataclass(frozen=True, slots=True)
class HealthPath:
    """A path, and what says that it is there."""

    path: str
    evidence: Evidence


def health_paths(tree: Tree, scan: Scan) -> Mapping[str, HealthPath]:
    """Return the paths that something speaks for, by the name of the service. Never raises."""
    servers = [service for service in scan.services if service.step == "LOCAL:SERVICE:DEPLOY"]
    wanted = {service.name: list(_told_by(service)) for service in servers}
    _add_sources(wanted, servers, tree)
    found: dict[str, HealthPath] = {}
    left = READS_MAX
    for service in servers:
        files = list(dict.fromkeys(wanted[service.name]))[: min(READS_EACH_MAX, left)]
        left -= len(files)
        texts = {file: _text(tree, file) for file in files}
        if path := _best(service, texts):
            found[service.name] = path
    return found


def _told_by(service: Service) -> Iterator[str]:
    """Yield the files that say how it is run."""
    yield from _containers(service)
    told = service.because("start_command")
    if told and told.file.endswith(SOURCES):
        yield told.file


def _containers(service: Service) -> Iterator[str]:
    yield from (file for file in (service.dockerfile, service.compose_file) if file)


def _add_sources(wanted: dict[str, list[str]], servers: Sequence[Service], tree: Tree) -> None:
    """Add the programs in each one's folder, those near its top first."""
    roots: dict[str, list[str]] = {}
    for service in servers:
        roots.setdefault(service.root, []).append(service.name)
    below: dict[str, list[tuple[int, str]]] = {}
    for path in tree.paths() if roots else ():
        if path.endswith(SOURCES) and path.isprintable():
            root, depth = _root_above(path, roots)
            below.setdefault(root, []).append((depth, path))
    for root, names in roots.items():
        nearest = [path for _, path in sorted(below.get(root, ()))[:READS_EACH_MAX]]
        for name in names:
            wanted[name] += nearest


def _root_above(path: str, roots: Collection[str]) -> tuple[str, int]:
    """Return the root that a program belongs to, and how deep below it lies; nothing if there is none."""
    folders = path.split("/")[:-1]
    for depth, length in enumerate(range(len(folders), -1, -1)):
        root = "/".join(folders[:length]) or "."
        if root in roots:
            return root, depth
        if depth >= DEPTH_MAX or not length or not is_looked_into(folders[length - 1]):
            break
    return "", 0


def _best(service: Service, texts: Mapping[str, str]) -> HealthPath | None:
    """Return the first path that some file speaks for; FastAPI has one of its own where `/` is none."""
    containers = set(_containers(service))
    for file, text in texts.items():
        for pattern in (_PROBED,) if file in containers else (_RAILS, _ROUTE):
            if match := pattern.search(text):
                line = text.count("\n", 0, match.start()) + 1
                return HealthPath(f"/{match['path'].lstrip('/')}", Evidence("verify", file, f"line {line}"))
    if service.framework == "fastapi" and not any(map(_ROOT.search, texts.values())):
        told = service.because("framework")
        file = told.file if told else service.root
        return HealthPath("/openapi.json", Evidence("verify", file, told.at if told else "", assumed=True))
    return None


def _text(tree: Tree, file: str) -> str:
    return (tree.read(file, SOURCE_BYTES_MAX) or b"").decode("utf-8", "replace")
