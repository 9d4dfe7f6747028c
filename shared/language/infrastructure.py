"""DevRamps' older `infrastructure` blocks, read as the Terraform step that took their place.

A stage's block overrules the one of `stage_defaults` key by key. Stages with a block run a first step with
what the block says; every step that began the pipeline goes after it.
"""

from collections.abc import Sequence
from dataclasses import replace

from shared.language.definition import StageDefinition, StepDefinition
from shared.language.manifest import Infrastructure, Step
from shared.language.node import Mapping, Node, Scalar
from shared.language.problem import Problems
from shared.plan import Attempts
from shared.step_types import STEP_TYPES

ID = "infrastructure"
TYPE = "TERRAFORM:SYNTHESIZE"
_KEY = "infrastructure"


def with_infrastructure(
    steps: tuple[StepDefinition, ...],
    stages: Sequence[tuple[StageDefinition, Mapping]],
    defaults: Mapping | None,
    problems: Problems,
) -> tuple[tuple[StepDefinition, ...], tuple[StageDefinition, ...]]:
    """Return steps and stages with what the blocks stand for; the same ones where there is none."""
    common = defaults.get(_KEY) if defaults else None
    blocks = {stage.name: _merged(common, node.get(_KEY)) for stage, node in stages}
    if not any(blocks.values()):
        return steps, tuple(stage for stage, _ in stages)
    first = next(block for block in blocks.values() if block)
    taken = {step.id for step in steps} | {step.name for step in steps}
    if ID in taken or "Infrastructure" in taken:
        message = "an infrastructure block stands for a step named Infrastructure, and there is one"
        problems.add(first.place, message, "write the block as a TERRAFORM:SYNTHESIZE step", "duplicate")
        return steps, tuple(stage for stage, _ in stages)
    linked = tuple(step if step.goes_after else replace(step, goes_after=(ID,)) for step in steps)
    planned = tuple(
        replace(stage, params={ID: block}) if block else replace(stage, skip=stage.skip | {ID})
        for stage, block in ((stage, blocks[stage.name]) for stage, _ in stages)
    )
    return (_step(first), *linked), planned


def _merged(common: Node | None, own: Node | None) -> Mapping | None:
    blocks = [node for node in (common, own) if isinstance(node, Mapping)]
    if not blocks:
        return None
    entries: dict[str, tuple[Scalar, Node]] = {}
    for block in blocks:
        entries.update({entry[0].text: entry for entry in block.entries})
    known = tuple(entry for name, entry in entries.items() if name in Infrastructure.model_fields)
    return Mapping(known, blocks[-1].place)


def _step(block: Mapping) -> StepDefinition:
    row = STEP_TYPES[TYPE]
    return StepDefinition(
        id=ID,
        name="Infrastructure",
        place=block.place,
        type=TYPE,
        part=Step(name="Infrastructure", type=TYPE),
        params=block,
        goes_after=(),
        timeout_seconds=row.timeout_seconds,
        attempts=Attempts(),
        on_rollback=row.on_rollback,
    )
