"""What a scan answers: the services of a repository, and for each fact the file that says so.

All paths are relative to the folder that was scanned, `.` being that folder itself. Nothing here
depends on the machine: equal trees give equal answers. `document` gives the JSON form, which
docs/howto/scan.md describes.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Shape = Literal["static", "static_build", "server", "multi", "existing_docker"]
LocalStep = Literal["", "LOCAL:SERVICE:DEPLOY", "LOCAL:STATIC:DEPLOY"]
PortGiven = Literal["", "variable", "fixed", "unknown"]

DOCUMENT_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Evidence:
    """Which file says one fact about a service."""

    fact: str  # the field of `Service` that it stands for
    file: str
    at: str = ""  # the key or the line: "scripts.start", "line 3"
    assumed: bool = False  # it does not stand there: it is the custom of what stands there

    def __str__(self) -> str:
        """Return it in one line: `package.json: scripts.start`."""
        place = f"{self.file}: {self.at}" if self.at else self.file
        return f"{place} (by custom)" if self.assumed else place


@dataclass(frozen=True, slots=True)
class Service:
    """One thing that can be deployed by itself."""

    name: str  # fit for a step's name; unique in the scan
    root: str  # its folder
    shape: Literal["static", "static_build", "server", "existing_docker"]
    language: str = "unknown"
    framework: str = ""
    package_manager: str = ""
    runtime_version: str = ""  # as it is pinned: ">=20", "3.12"
    commands_in: str = "."  # where all its commands are run: the root, or its workspace's
    install_commands: tuple[str, ...] = ()  # shell lines
    build_commands: tuple[str, ...] = ()  # shell lines, after those
    start_command: str = ""  # one line of words; what needs a shell says `sh -c '…'` itself
    port: int | None = None  # a container's, or where it listens; for "variable" only without PORT
    port_given: PortGiven = ""  # "variable": it listens where PORT says; empty: it listens nowhere
    output: str = ""  # of a static build: the folder that is published
    dockerfile: str = ""
    docker_context: str = ""  # the folder that its image is built in
    image: str = ""  # of a compose service that is not built here
    compose_file: str = ""
    compose_service: str = ""
    static_hint: str = ""  # vite, cra, vue, angular, svelte, astro, next-export, static-html, or a generator
    step: LocalStep = ""  # what can deploy it to a local target
    step_reason: str = ""  # why nothing can
    evidence: tuple[Evidence, ...] = ()

    @property
    def bundle(self) -> str:
        """The folder that is packed once everything is built: what a local step is given."""
        return self.output if self.step == "LOCAL:STATIC:DEPLOY" else self.commands_in

    def because(self, fact: str) -> Evidence | None:
        """Return which file says a fact."""
        return next((each for each in self.evidence if each.fact == fact), None)


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a person should know before deploying what was found."""

    rule: str  # "vite-preview"
    message: str
    hint: str = ""
    file: str = ""
    service: str = ""  # its name, if it is about one
    severity: Literal["warning", "note"] = "warning"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that looked like a service and is none."""

    name: str
    root: str
    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """All of it."""

    name: str  # of the repository
    shape: Shape | None  # None: nothing that could be deployed
    services: tuple[Service, ...]
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[Caution, ...] = ()
    files: int = 0  # how many were looked over
    complete: bool = True  # False: a limit was met, and a warning says which


def document(scan: Scan) -> Mapping[str, Any]:
    """Return the scan as JSON has it."""
    return {"version": DOCUMENT_VERSION, **asdict(scan)}
