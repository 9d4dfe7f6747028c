"""A scan for people: a paragraph a service, with the file that says each fact."""

from collections.abc import Iterator

from shared.scan import Caution, Scan, Service

LEFT_OUT_SHOWN_MAX = 20
_PORTS = {"variable": " unless PORT says otherwise", "fixed": " whatever PORT says", "unknown": " (supposed)"}
_LABEL = 10  # columns


def told(scan: Scan, *, has_pipeline: bool) -> Iterator[str]:
    """Yield the lines."""
    yield _headline(scan)
    for service in scan.services:
        yield ""
        yield from _service(service)
        own = [each for each in scan.warnings if each.service == service.name]
        yield from (line for each in own for line in _caution(each, said=service.step_reason))
    general = [each for each in scan.warnings if not each.service]
    if general:
        yield ""
        yield from (line for each in general for line in _caution(each))
    yield from _left_out(scan)
    yield ""
    yield _next(scan, has_pipeline=has_pipeline)


def _headline(scan: Scan) -> str:
    number = len(scan.services)
    looked = f"{scan.files} files looked over" if scan.files != 1 else "1 file looked over"
    if scan.shape is None:
        return f"{scan.name}: nothing that could be deployed ({looked})."
    return f"{scan.name}: {scan.shape}, {number} service{'s' if number > 1 else ''} ({looked})."


def _service(service: Service) -> Iterator[str]:
    made = [service.framework, service.language] if service.framework else [service.language]
    place = "" if service.root == "." else f" in {service.root}"
    yield f"{service.name}{place}: {service.shape}, {' on '.join(dict.fromkeys(made))}"
    for label, text, fact in _facts(service):
        if text:
            evidence = service.because(fact)
            yield f"  {label:<{_LABEL}}{text}{f'  [{evidence}]' if evidence else ''}"
    yield f"  {'deploy':<{_LABEL}}{service.step or f'no step of a local target: {service.step_reason}'}"


def _facts(service: Service) -> Iterator[tuple[str, str, str]]:
    """Yield label, text and the fact whose evidence stands beside it."""
    yield "runtime", service.runtime_version, "runtime_version"
    yield "container", service.dockerfile or service.image, "dockerfile" if service.dockerfile else "image"
    yield "compose", service.compose_service, "compose_service"
    yield "in", "" if service.commands_in == service.root else service.commands_in, ""
    for number, line in enumerate(service.install_commands):
        yield "install" if not number else "", line, "" if number else "install_commands"
    for number, line in enumerate(service.build_commands):
        yield "build" if not number else "", line, "" if number else "build_commands"
    yield "start", service.start_command, "start_command"
    yield "publish", service.output, "output"
    if service.port:
        given = service.because("port_given")
        is_containers = service.port_given == "fixed" and given is not None and given.assumed
        told_how = " in its container" if is_containers else _PORTS.get(service.port_given, "")
        yield "port", f"{service.port}{told_how}", "port"


def _caution(caution: Caution, said: str = "") -> Iterator[str]:
    """Yield a caution, or only the way out of it where the rest was said already."""
    if caution.message != said:
        yield f"  {caution.severity}: {caution.message}"
    if caution.hint:
        yield f"    {caution.hint}"


def _left_out(scan: Scan) -> Iterator[str]:
    if not scan.left_out:
        return
    yield ""
    yield "Left out:"
    for each in scan.left_out[:LEFT_OUT_SHOWN_MAX]:
        yield f"  {each.name} [{each.file}]: {each.reason}"
    more = len(scan.left_out) - LEFT_OUT_SHOWN_MAX
    if more > 0:
        yield f"  and {more} more, which --json lists"


def _next(scan: Scan, *, has_pipeline: bool) -> str:
    if scan.shape is None:
        return "Next: a Dockerfile, or a Procfile with a line `web: COMMAND`, says how it is run."
    if has_pipeline:
        return "Next: there is a pipeline already; `windlass validate` checks it."
    return "Next: `windlass init` writes a pipeline from this."
