"""Reading `artifacts`: a mapping from display name to what is built."""

import re

from shared.language.definition import ArtifactDefinition, SourcePath
from shared.language.expression import has_expression
from shared.language.node import Mapping, Node, Scalar
from shared.language.problem import Problems, quoted
from shared.language.reference import ID, ID_RULE, id_from, references
from shared.language.repository_path import read_path, read_source
from shared.language.section import NAME_CHARACTERS_MAX, Section, read_section

ARTIFACTS_MAX = 50
TYPES = ("BUNDLE:BUILD",)
BUILD_SECONDS = 1800.0  # unless the artifact says otherwise

_KEYS = ("id", "type", "rebuild_when_changed", "envs", "timeout_minutes", "params")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def read_artifacts(node: Mapping | None, problems: Problems) -> tuple[ArtifactDefinition, ...]:
    """Return every artifact that has a name; what else is wrong with it is reported."""
    if node is None:
        return ()
    if len(node.entries) > ARTIFACTS_MAX:
        place = node.entries[ARTIFACTS_MAX][0].place
        problems.add(place, f"there are more than {ARTIFACTS_MAX} artifacts")
    read = [_read(name, body, problems) for name, body in node.entries[:ARTIFACTS_MAX]]
    artifacts = tuple(artifact for artifact in read if artifact)
    references("artifact", artifacts, problems)
    return artifacts


def read_variables(node: Mapping | None, title: str, problems: Problems) -> tuple[tuple[str, Scalar], ...]:
    """Return environment variables, still with their expressions."""
    found: list[tuple[str, Scalar]] = []
    for key, value in node.entries if node else ():
        if not _VARIABLE.fullmatch(key.text):
            message = f"{quoted(key.text)} cannot be the name of an environment variable"
            problems.add(key.place, message, "letters, digits and underscores, no digit first")
        elif not isinstance(value, Scalar) or value.value is None:
            message = f"{quoted(key.text)} in {title} must be one value"
            problems.add(value.place, message, 'write "" for an empty one')
        else:
            found.append((key.text, value))
    return tuple(found)


def read_script(node: Node | None, title: str, problems: Problems) -> tuple[str, ...]:
    """Return shell lines, in which nothing is resolved: no text is ever spliced into a shell's."""
    items = node.items if node and not isinstance(node, Scalar | Mapping) else (node,)
    lines: list[str] = []
    for item in items:
        if item is None:
            continue
        if not isinstance(item, Scalar) or item.value is None:
            problems.add(item.place, f"{title} must be a text or a list of texts")
        elif has_expression(item.text):
            message = f"expressions are not resolved inside {title}"
            problems.add(item.place, message, 'give the value in env, and write "$NAME" here')
        else:
            lines.append(item.text)
    return tuple(lines)


def _read(name: Scalar, body: Node, problems: Problems) -> ArtifactDefinition | None:
    title = f"artifact {quoted(name.text)}"
    section = read_section(body, title, _KEYS, problems, required=("type", "params"))
    if section is None:
        return None
    if not name.text.strip() or len(name.text) > NAME_CHARACTERS_MAX or not name.text.isprintable():
        message = f"an artifact's name has 1 to {NAME_CHARACTERS_MAX} characters, on one line"
        problems.add(name.place, message)
    derived = id_from(name.text)
    if not derived and section.node("id") is None:
        problems.add(name.place, f"{title} needs an id: none can be made of its name", ID_RULE)
    params = _read_params(section, problems)
    return ArtifactDefinition(
        id=section.slug("id", derived, ID, ID_RULE),
        name=name.text,
        place=name.place,
        commands=params[0],
        path=params[1],
        envs=read_variables(section.mapping("envs"), f"envs of {title}", problems),
        sources=_read_sources(section, problems),
        timeout_seconds=section.minutes("timeout_minutes", BUILD_SECONDS),
    )


def _read_params(section: Section, problems: Problems) -> tuple[tuple[str, ...], str]:
    """Return the build's commands and the path of what they make."""
    kind = section.node("type")
    if kind is None:
        return (), ""
    text = kind.text if isinstance(kind, Scalar) else ""
    if text not in TYPES:
        message = f"{quoted(text)} is not a type of artifact"
        problems.add_unknown(kind.place, message, text, TYPES)
        return (), ""
    title = f"params of {section.title}"
    keys = ("build_commands", "file_path")
    params = read_section(section.node("params"), title, keys, problems, ("file_path",))
    if params is None:
        return (), ""
    commands = read_script(params.node("build_commands"), "build_commands", problems)
    path = params.node("file_path")
    if path is None:
        return commands, ""
    written = path.text if isinstance(path, Scalar) else ""
    return commands, read_path(written, path.place, "file_path", problems) or ""


def _read_sources(section: Section, problems: Problems) -> tuple[SourcePath, ...]:
    key = "rebuild_when_changed"
    node = section.node(key)
    written = section.texts(key)
    if node and not written:
        problems.add(node.place, f"{key} of {section.title} must name at least one path")
    found: dict[str, SourcePath] = {}
    for scalar in written:
        path = read_source(scalar.text, scalar.place, problems)
        if path is not None:
            found.setdefault(path, SourcePath(path, scalar.place))
    return tuple(found.values())
