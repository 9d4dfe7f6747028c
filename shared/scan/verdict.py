"""From what is known of a service to what it is: its shape, what can deploy it, what to beware of."""

import re
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Literal

from shared.scan.draft import Draft
from shared.scan.result import Caution, Evidence, LocalStep, Service, Shape
from shared.scan.view import shown

NAME_CHARACTERS_MAX = 40
_SPEAKS_NO_HTTP = frozenset({"grpc", "tonic"})
ServiceShape = Literal["static", "static_build", "server", "existing_docker"]
_COPIED = frozenset(field.name for field in fields(Service)) - {
    "commands_in", "evidence", "name", "shape", "static_hint", "step", "step_reason",
}  # fmt: skip


def judge(draft: Draft, name: str) -> tuple[Service, tuple[Caution, ...]]:
    """Return the service, and what to tell about it."""
    shape = _shape(draft)
    hint = "" if shape == "existing_docker" or draft.serves else draft.static_hint
    step, reason = _step(draft, shape)
    service = Service(
        **{field: getattr(draft, field) for field in _COPIED},
        name=name,
        shape=shape,
        commands_in=draft.commands_in or draft.root,
        static_hint=hint,
        step=step,
        step_reason=reason,
        evidence=tuple(draft.evidence.values()),
    )
    found = (*draft.cautions, *_cautions(service, draft))
    return service, tuple(replace(each, service=name) for each in dict.fromkeys(found))


def whole_shape(services: Iterable[Service]) -> Shape | None:
    """Return the shape of all of them together."""
    shapes = [service.shape for service in services]
    if len(shapes) > 1:
        return "multi"
    return shapes[0] if shapes else None


def names_of(drafts: Iterable[Draft], whole: str) -> list[str]:
    """Return a name for each: short, fit for a step, and nobody else's."""
    taken: dict[str, None] = {}
    for draft in drafts:
        folder = "" if draft.root == "." else draft.root.rpartition("/")[2]
        wanted = draft.name if draft.compose_file else folder or draft.name or whole
        name = _slug(wanted) or _slug(folder or whole) or "service"
        number, unique = 1, name
        while unique in taken:
            number += 1
            unique = f"{name}-{number}"
        taken[unique] = None
    return list(taken)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:NAME_CHARACTERS_MAX].rstrip("-")


def _shape(draft: Draft) -> ServiceShape:
    if draft.dockerfile or draft.compose_file:
        return "existing_docker"
    if draft.output and not draft.serves:
        return "static" if draft.static_hint == "static-html" and not draft.start_command else "static_build"
    return "server"


def _step(draft: Draft, shape: ServiceShape) -> tuple[LocalStep, str]:
    """Return what can deploy it to this machine, or why nothing can."""
    starts = bool(draft.start_command) and not draft.container_start
    if not starts and draft.output and not draft.serves:
        return "LOCAL:STATIC:DEPLOY", ""
    if not starts and shape == "existing_docker":
        return "", _contained(draft)
    if not starts:
        return "", "no start command is known"
    if draft.framework in _SPEAKS_NO_HTTP:
        return "", "it speaks gRPC, and a release is verified over HTTP"
    if draft.port_given == "fixed":
        return "", _fixed(draft.port, draft.evidence["port_given"])
    if not draft.port_given:
        return "", "nothing shows that it answers HTTP, by which a release is verified"
    return "LOCAL:SERVICE:DEPLOY", ""


def _contained(draft: Draft) -> str:
    """Say why a container's program is not started outside of it."""
    if draft.image:
        return f"it is the image {shown(draft.image)}, which is not built here"
    if not draft.start_command:
        return "it runs in a container only: nothing outside its image says how it is started"
    where = draft.evidence["start_command"]
    return f"how it is started is said for its container only ({where}), which may have more in it"


def _fixed(port: int | None, where: Evidence) -> str:
    """Say that it listens on one port; what is told of a container says nothing of PORT."""
    place = str(replace(where, assumed=False))
    if where.assumed:
        return f"it listens on port {port} in its container ({place}), and nothing shows that it reads PORT"
    return f"it listens on port {port} whatever PORT says ({place})"


def _cautions(service: Service, draft: Draft) -> Iterable[Caution]:
    if draft.serves and not service.start_command:
        message = f"{draft.file} has {service.framework or service.language} and no start command"
        yield Caution("no-start", message, _start_hint(service), draft.file)
    if service.port_given == "fixed" and service.start_command and not draft.container_start:
        place = service.because("port_given")
        if place:
            message = _fixed(service.port, place)
            yield Caution("port-fixed", message, "read PORT from the environment", place.file)
    if service.port_given == "unknown" and service.start_command:
        message = f"nothing in {draft.file} or beside it shows that it listens where PORT says"
        yield Caution("port-unknown", message, "read PORT from the environment", draft.file)
    if service.shape == "static_build" and service.start_command:
        message = f"{draft.file} makes pages in {service.output} and starts a server for them"
        yield Caution(
            "static-with-start",
            message,
            "without the start command they are published",
            draft.file,
            severity="note",
        )


def _start_hint(service: Service) -> str:
    hints = {"node": "add scripts.start to package.json", "bun": "add scripts.start to package.json",
             "deno": "add tasks.start to deno.json"}  # fmt: skip
    return hints.get(service.language, "write it into a Procfile: web: COMMAND")
