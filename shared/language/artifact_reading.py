"""Reading `artifacts`: a mapping from display name to what is built or imported."""

from shared.artifact_types import ARTIFACT_TYPES
from shared.language.definition import ArtifactDefinition, SourcePath
from shared.language.expression import has_expression
from shared.language.manifest import Artifact
from shared.language.manifest.part import NAME_CHARACTERS_MAX, NO_EXPRESSION, inside
from shared.language.node import Listing, Mapping, Node, Scalar
from shared.language.problem import quoted
from shared.language.reading import Reader, mended
from shared.language.reference import id_from, no_id, references
from shared.step_types import canonical

ARTIFACTS_MAX = 50

_KEY = "artifacts"
_TIMEOUT = "timeout_minutes"


def read_artifacts(node: Mapping, reader: Reader) -> tuple[ArtifactDefinition, ...]:
    """Return every artifact of the pipeline that has a name; what else is wrong with it is reported."""
    found = reader.mapping(node, _KEY, "the pipeline")
    if found is None:
        return tuple(_unread(name, Mapping((), name.place)) for name in _names(node.get(_KEY)))
    if len(found.entries) > ARTIFACTS_MAX:
        place = found.entries[ARTIFACTS_MAX][0].place
        reader.problems.add(place, f"there are more than {ARTIFACTS_MAX} artifacts", rule="limit")
    artifacts = tuple(_read(name, body, reader) for name, body in found.entries[:ARTIFACTS_MAX])
    references("artifact", artifacts, reader.problems)
    return artifacts


def _names(node: Node | None) -> list[Scalar]:
    """Return the names in a list, which artifacts are not: so that whoever names one is right."""
    items = node.items[:ARTIFACTS_MAX] if isinstance(node, Listing) else ()
    names = [item.get("name") for item in items if isinstance(item, Mapping)]
    return [name for name in names if isinstance(name, Scalar)]


def _unread(name: Scalar, node: Mapping) -> ArtifactDefinition:
    """Return an artifact of which no more is known than its name."""
    id_ = id_from(name.text) or f"artifact-{name.place.line}"
    return ArtifactDefinition(id_, name.text, name.place, "", Artifact(type=""), node, ())


def _read(name: Scalar, body: Node, reader: Reader) -> ArtifactDefinition:
    title = f"artifact {quoted(name.text)}"
    _check_name(name, reader)
    if not isinstance(body, Mapping):
        reader.problems.add(body.place, f"{title} must be a mapping", "write its type: …", "wrong-type")
        return _unread(name, Mapping((), body.place))
    row = ARTIFACT_TYPES.get(canonical(reader.text(body, "type")))
    part = reader.part(body, Artifact, title, {"type": "-"}, row.params if row else None)
    if part is None:
        return _unread(name, body)
    body = mended(body, Artifact, row.params if row else None)
    derived = id_from(name.text)
    if not derived and part.id is None and not reader.problems.has_error_at(name.place):
        no_id(title, name.place, reader.problems)
    type_ = _read_type(part, body, reader)
    _check_timeout(part, body, title, reader)
    if (size := body.get("host_size")) is not None:
        message = f"host_size in {title} has no effect in this release: the builder's machine is what it is"
        reader.problems.warn(size.place, message, "leave it out", "no-effect")
    return ArtifactDefinition(
        id=part.id or reader.text(body, "id") or derived or f"artifact-{name.place.line}",
        name=name.text,
        place=name.place,
        type=type_,
        part=part.model_copy(update={"type": type_}),
        node=body,
        sources=_sources(body, part, reader),
    )


def _check_name(name: Scalar, reader: Reader) -> None:
    if not name.text.strip() or len(name.text) > NAME_CHARACTERS_MAX or not name.text.isprintable():
        message = f"an artifact's name has 1 to {NAME_CHARACTERS_MAX} characters, on one line"
        reader.problems.add(name.place, message)
    elif has_expression(name.text):
        message = f"the artifact's name {quoted(name.text)} {NO_EXPRESSION}"
        reader.problems.add(name.place, message, "write the text itself", "expression")


def _read_type(part: Artifact, node: Mapping, reader: Reader) -> str:
    """Return the canonical type, empty if there is none such."""
    written = node.get("type")
    type_ = canonical(part.type)
    if isinstance(written, Scalar) and isinstance(written.value, str) and type_ not in ARTIFACT_TYPES:
        message = f"{quoted(part.type)} is not a type of artifact"
        reader.problems.add_unknown(written.place, message, type_, tuple(ARTIFACT_TYPES))
    return type_ if type_ in ARTIFACT_TYPES else ""


def _check_timeout(part: Artifact, node: Mapping, title: str, reader: Reader) -> None:
    """Report a limit that an import has in its parameters and in its own key."""
    params = node.get("params")
    inner = params.get(_TIMEOUT) if isinstance(params, Mapping) else None
    if inner is not None and part.timeout_minutes is not None:
        message = f"{title} has two time limits: timeout_minutes, and another in its params"
        reader.problems.add(inner.place, message, "keep one of them", "duplicate")


def _sources(node: Mapping, part: Artifact, reader: Reader) -> tuple[SourcePath, ...]:
    key = "rebuild_when_changed"
    written = node.get(key)
    if part.rebuild_when_changed is None:
        return ()
    if not part.rebuild_when_changed and written:
        reader.problems.add(written.place, f"{key} must name at least one path", "leave it out: all counts")
    places = [item.place for item in written.items] if isinstance(written, Listing) else []
    found: dict[str, SourcePath] = {}
    for text, place in zip(part.rebuild_when_changed, places, strict=False):
        path = inside(text)
        source = "/" if path == "." else f"/{path}"
        found.setdefault(source, SourcePath(source, place))
    return tuple(found.values())
