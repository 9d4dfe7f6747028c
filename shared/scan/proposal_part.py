"""One service's part of a proposed pipeline: its artifact and its step."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from shared.scan.health import HealthPath
from shared.scan.proposal_text import comment, indented, items, listing, scalar, shown
from shared.scan.result import Service
from shared.scan.words import quote

FLOW_CHARACTERS_MAX = 80  # of a list that stands on one line
_NO_START = ("sh", "-c", "echo 'say in the pipeline file how it is started' >&2; exit 1")
_MADE_FROM = frozenset({
    "build_commands", "framework", "install_commands", "output", "package_manager", "runtime_version",
    "start_command",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A service, and whether the proposal deploys it."""

    service: Service
    health: HealthPath | None
    to_account: bool  # as a container, to Amazon ECS
    reason: str = ""  # why it is not deployed; empty: it is
    is_nearly: bool = False  # it can be written down, and would not come up as it is
    cautions: tuple[str, ...] = ()  # what to know before it is deployed

    @classmethod
    def of(cls, service: Service, health: HealthPath | None, *, to_account: bool) -> "Part":
        """Return the part of a service that was found."""
        part = cls(service, health, to_account)
        if to_account and service.dockerfile:
            return part
        if _words(service) is None:
            return replace(part, reason="its start command cannot be taken apart into words")
        in_container = bool(service.dockerfile or service.image or service.compose_file)
        if to_account:
            return replace(part, reason=service.step_reason or "the others run in containers only")
        return replace(part, reason=service.step_reason, is_nearly=not service.step and not in_container)

    @property
    def is_live(self) -> bool:
        """Tell whether it is deployed."""
        return not self.reason

    @property
    def port_name(self) -> str:
        """Return the variable that holds its port in a stage."""
        return f"port_{self.service.name.replace('-', '_')}"

    def refused(self, reason: str) -> "Part":
        """Return it left out."""
        return replace(self, reason=self.reason or reason, is_nearly=False)


def remarks(part: Part) -> Iterator[str]:
    """Yield what is known of the service, and why it is not deployed."""
    service = part.service
    known = (each for each in (service.framework, service.language) if each not in {"", "unknown"})
    made = " on ".join(dict.fromkeys(known))
    what = {"static": "a folder of pages", "static_build": "pages that are built",
            "server": "a server", "existing_docker": "a container"}[service.shape]  # fmt: skip
    where = "the repository itself" if service.root == "." else f"/{service.root}"
    told = service.because("framework") or service.because("language") or service.because("dockerfile")
    parts = [f"{service.name}: {what}", *([made] if made else []), f"in {where}"]
    yield from comment(", ".join(parts) + _because(told))
    if part.is_nearly:
        yield from comment(f"Not deployed as it is: {part.reason}")
    for caution in part.cautions:
        if caution not in part.reason:
            yield from comment(f"Beware: {caution}")


def artifact(part: Part) -> Iterator[str]:
    """Yield an artifact of the service."""
    yield f"{scalar(part.service.name)}:"
    yield from indented(_image(part.service) if part.to_account else _bundle(part.service), 2)


def step(part: Part, *, is_first: bool) -> Iterator[str]:
    """Yield the step that deploys it."""
    service = part.service
    yield f"- name: {scalar(service.name)}"
    if not is_first:
        yield "  goes_after: [] # side by side with the one above it"
    if part.to_account:
        yield "  type: ECS:DEPLOY"
        yield "  params:"
        yield f"    artifact: {scalar(service.name)}"
        yield "    cluster_name: ${{ vars.cluster }}"
        yield f"    service_name: {scalar(service.name)} # the ECS service, which is there already"
        return
    is_static = service.step == "LOCAL:STATIC:DEPLOY"
    yield f"  type: {'LOCAL:STATIC:DEPLOY' if is_static else 'LOCAL:SERVICE:DEPLOY'}"
    yield "  params:"
    yield f"    artifact: {scalar(service.name)}"
    if not is_static:
        yield from indented(_command(service), 4)
    yield f"    port: ${{{{ vars.{part.port_name} }}}}"
    yield from indented(_verify(part), 4)


def _bundle(service: Service) -> Iterator[str]:
    yield "type: BUNDLE:BUILD"
    yield from _rebuild(service)
    yield "params:"
    commands = [*service.install_commands, *service.build_commands]
    if commands:
        folder = [f"cd {quote(service.commands_in)}"] if service.commands_in != "." else []
        told = _told(service, "install", "build")
        yield from indented(comment(f"Run at the top of the repository{told}"), 2)
        yield "  build_commands:"
        yield from indented(items([*folder, *commands]), 4)
    yield from indented(comment(_kept(service)), 2)
    yield f"  file_path: {scalar(_path(service.bundle))}"


def _kept(service: Service) -> str:
    if service.step != "LOCAL:STATIC:DEPLOY":
        return "The folder that is kept, and in which the server is started"
    whole = ": all of the repository, this file too" if service.bundle == "." else ""
    return f"The folder that is published{whole}{_because(service.because('output'))}"


def _image(service: Service) -> Iterator[str]:
    dockerfile = service.dockerfile
    yield "type: DOCKER:BUILD"
    context = service.docker_context or service.root
    if context != ".":
        outside = [] if dockerfile.startswith(f"{context}/") else [dockerfile]
        yield f"rebuild_when_changed: {listing([_path(each) for each in (context, *outside)])}"
    yield "params:"
    yield f"  dockerfile: {scalar(_path(dockerfile))}"
    yield f"  build_root: {scalar(_path(context))}"


def _rebuild(service: Service) -> Iterator[str]:
    is_pages = service.shape == "static" and not service.install_commands and not service.build_commands
    folder = service.output if is_pages else service.commands_in
    paths = _made_of(service, folder)
    if folder == "." or any(map(_is_no_source, paths)):
        yield "# Built again whatever changes in the repository, unless this says less:"
        yield "# rebuild_when_changed: [/src]"
        return
    yield f"rebuild_when_changed: {listing(paths)} # add what else it is made of"


def _is_no_source(path: str) -> bool:
    """Tell whether a path cannot stand among the sources of an artifact, though it may be built from."""
    return not path.isprintable() or bool(set(path) & set("*?")) or "${{" in path


def _made_of(service: Service, folder: str) -> list[str]:
    """Return the folder, and the files outside of it that say how it is built and run."""
    outside = [
        each.file
        for each in service.evidence
        if each.fact in _MADE_FROM and not f"{each.file}/".startswith(f"{folder}/")
    ]
    inside_root = service.root == folder or service.root.startswith(f"{folder}/")
    further = [] if inside_root or service.root == "." else [service.root]
    paths = [folder, *further, *(file for file in outside if not _lies_in(file, further))]
    return list(dict.fromkeys(map(_path, paths)))


def _lies_in(file: str, folders: Sequence[str]) -> bool:
    return any(file.startswith(f"{folder}/") for folder in folders)


def _command(service: Service) -> Iterator[str]:
    words = _words(service) or _NO_START
    yield from comment(
        f"PORT in its environment says where to listen{_because(service.because('start_command'))}"
    )
    line = listing(words)
    if len(line) <= FLOW_CHARACTERS_MAX and "'" not in line:
        yield f"command: {line}"
        return
    yield "command:"
    yield from indented(items(words), 2)


def _words(service: Service) -> Sequence[str] | None:
    """Return what starts it, word by word; None if a quote is not closed."""
    try:
        return shlex.split(service.start_command)
    except ValueError:
        return None


def _verify(part: Part) -> Iterator[str]:
    path = part.health.path if part.health else "/"
    said = _because(part.health.evidence) if part.health else ""
    yield from comment(f"A release takes over once these answer 2xx or 3xx{said}")
    yield f"verify: {{paths: [{{path: {scalar(path)}}}]}}"


def _told(service: Service, *kinds: str) -> str:
    files = [str(each) for kind in kinds if (each := service.because(f"{kind}_commands"))]
    return f" [{shown(', '.join(dict.fromkeys(files)))}]" if files else ""


def _because(evidence: object) -> str:
    return f" [{shown(str(evidence))}]" if evidence else ""


def _path(inside: str) -> str:
    return "/" if inside == "." else f"/{inside}"
