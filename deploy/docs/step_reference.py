"""`docs/steps.md`: every step and artifact type, with its parameters, outputs and an example."""

import inspect
from collections.abc import Iterator
from textwrap import indent

from deploy.docs.markdown import link, table
from deploy.docs.schema_words import Json, default_in_words, in_words, models_in
from shared.artifact_types import ARTIFACT_TYPES, ArtifactType
from shared.language.schema_form import draft_07
from shared.step_types import STEP_TYPES, Params, StepType
from shared.step_types.catalogue import ANY_CUSTOM

HEAD = """\
# Steps and artifacts

Written by `make docs` from `shared/step_types` and `shared/artifact_types.py`; do not edit.

A type may be written as DevRamps does, with `DEVRAMPS:` in front: `DEVRAMPS:ECS:DEPLOY` is `ECS:DEPLOY`.
For every value below, a text may hold expressions: `${{ vars.name }}`. Beside its parameters every step has
the keys of any step (`goes_after`, `attempts`, `on_rollback` and so on); `timeout` in `params`, in whole
minutes, is DevRamps' way to write its `timeout_minutes`.

*Planned* says that pipelines with the type are checked and planned, and that this release does not carry it
out yet: a push of such a pipeline is rejected.
"""


def render() -> str:
    """Return the whole page."""
    steps = sorted(STEP_TYPES.values(), key=lambda row: (row.name == ANY_CUSTOM, row.name))
    return "\n".join(
        [
            HEAD,
            "## Steps\n",
            table(("Type", "Runs on", "Time limit", "In a rollback", ""), map(_step_row, steps)),
            *map(_step, steps),
            "## Artifacts\n",
            table(("Type", "Makes", ""), map(_artifact_row, ARTIFACT_TYPES.values())),
            *map(_artifact, ARTIFACT_TYPES.values()),
        ]
    )


def _step_row(row: StepType) -> tuple[str, ...]:
    standing = "" if row.carried_out else "planned"
    return (
        link(row.name),
        ", ".join(row.targets),
        _lasting(row.timeout_seconds),
        {"run": "runs", "skip": "is skipped"}[row.on_rollback],
        standing,
    )


def _artifact_row(row: ArtifactType) -> tuple[str, ...]:
    return link(row.name), row.kind, "built by others" if row.imported else ""


def _step(row: StepType) -> str:
    given = "whatever comes of it" if row.outputs is None else ", ".join(f"`{name}`" for name in row.outputs)
    return _section(row.name, row.summary, row.params, f"Outputs: {given or 'none'}.\n", f"- {_listed(row)}")


def _listed(row: StepType) -> str:
    return indent(row.example, "  ").removeprefix("  ").rstrip()


def _artifact(row: ArtifactType) -> str:
    return _section(row.name, row.summary, row.params, "", row.example.rstrip())


def _section(name: str, summary: str, params: type[Params], outputs: str, example: str) -> str:
    _, _, more = inspect.cleandoc(params.__doc__ or "").partition("\n\n")
    parts = [f"### `{name}`\n", f"{summary}\n", f"{more}\n" if more else "", _parameters(params), outputs]
    return "\n".join([*filter(None, parts), f"```yaml\n{example}\n```\n"])


def _parameters(params: type[Params]) -> str:
    schema = draft_07(params.model_json_schema(ref_template="{model}"))
    rows = [*_rows(schema, schema.get("definitions", {}), "")]
    return table(("Parameter", "Type", "Default", ""), rows) if rows else "Takes any parameters.\n"


def _rows(schema: Json, definitions: Json, prefix: str) -> Iterator[tuple[str, ...]]:
    """Yield a row for each parameter, and for each part of those that are mappings of their own."""
    for name, part in schema.get("properties", {}).items():
        default = "needed" if name in schema.get("required", ()) else default_in_words(part)
        yield f"`{prefix}{name}`", in_words(part), default, part.get("description", "")
        for inner, dots in models_in(part):
            yield from _rows(definitions[inner], definitions, f"{prefix}{name}{dots}.")


def _lasting(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h" if hours and not minutes else f"{round(seconds / 60)} min"
