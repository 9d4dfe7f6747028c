"""A planned push for people: what would run where, what would be built, what is different. Pure.

Texts of the repository are made harmless, and long values are cut.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from pydantic import BaseModel

from services.cli.artifact_fate import fates
from services.cli.change_report import changes, cut, effects
from services.cli.output import harmless
from services.cli.planning import NOT_COMMITTED, Pipeline, Sources
from services.cli.queue_effects import QueueEffects
from services.cli.report.checked_file import CheckedFile
from services.cli.report.text import Palette
from services.cli.report.text import rendered as checked_lines
from services.cli.words import short
from shared.language.shown_value import filled, shown
from shared.plan import Plan, StagePlan, StepPlan
from shared.step_types import find

ROWS_MAX = 40  # of one step's parameters
_FATES = {"built": "build", "reused": "reuse", "imported": "import"}


def header(found: Sources) -> str:
    """Return what is planned, and what with it is compared."""
    new, old = found.new, found.old
    commit = "" if new.commit == NOT_COMMITTED else f" ({short(new.commit)})"
    planned = f"A push of {harmless(new.name)}{commit}"
    if old is None:
        return f"{planned}, compared with nothing: there is no commit before."
    why = f": {old.why}" if old.why else ""
    return f"{planned}, compared with {harmless(old.name)} ({short(old.commit)}){why}."


def rendered(pipeline: Pipeline, queue: QueueEffects | None, palette: Palette) -> Iterator[str]:
    """Yield the lines about one pipeline that has a plan."""
    plan = pipeline.plan
    assert plan, "what has problems is reported otherwise"
    yield _title(palette, f"{plan.pipeline}: {_counted(plan)}")
    for note in pipeline.notes:
        yield f"  {harmless(note)}"
    if queue:
        yield from effects(queue, palette)
    if plan.artifacts:
        yield ""
        yield from _artifacts(plan, pipeline.before, palette)
    names = {step.id: step.name for stage in plan.stages for step in stage.steps}
    for stage in plan.stages:
        yield ""
        yield from _stage(stage, names, palette)
    if pipeline.before:
        yield ""
        yield from changes(pipeline.changes, pipeline.approval, palette)


def problems(pipeline: Pipeline, palette: Palette) -> Iterator[str]:
    """Yield what is wrong with a pipeline file, as `windlass validate` says it."""
    if not pipeline.problems:
        return
    file = pipeline.file
    checked = CheckedFile(file.path, file.path, file.slug, pipeline.source, pipeline.problems)
    if pipeline.plan:
        yield ""
    yield from checked_lines([checked], palette, strict=False)


def _title(palette: Palette, text: str) -> str:
    return f"{palette.place}{harmless(text)}{palette.end}"


def _counted(plan: Plan) -> str:
    stages = len(plan.stages)
    steps = sum(not step.skip for stage in plan.stages for step in stage.steps)
    return f"{stages} stage{'s' * (stages != 1)}, {steps} step{'s' * (steps != 1)}"


def _artifacts(plan: Plan, before: Plan | None, palette: Palette) -> Iterator[str]:
    yield _title(palette, "Artifacts")
    found = fates(plan, before)
    named = [f"{each.artifact.name}{_of_stage(each.artifact.stage)}" for each in found]
    width = max(map(len, map(harmless, named)))
    for name, each in zip(named, found, strict=True):
        first, *more = each.reasons or ("",)
        yield f"  {harmless(name):{width}}  {_FATES[each.fate]:6}  {cut(first)}"
        for reason in more:
            yield f"  {'':{width}}  {'':6}  {cut(reason)}"


def _of_stage(stage: str) -> str:
    return f" ({stage})" if stage else ""


def _stage(stage: StagePlan, names: Mapping[Any, str], palette: Palette) -> Iterator[str]:
    where = [stage.target, stage.account_id, stage.region]
    where += [f"window {stage.window.name or stage.window.zone}"] if stage.window else []
    where += [f"rolled back by {stage.alarm}"] if stage.alarm else []
    yield f"{_title(palette, f'Stage {stage.name}')}  {harmless(' · '.join(each for each in where if each))}"
    levels = _levels(stage)
    width = max((len(harmless(step.name)) for step in stage.steps), default=0)
    for step in stage.steps:
        number = "-" if step.skip else str(levels[step.id])
        order = "skipped here" if step.skip else _order(step, levels, names)
        told = f"{step.type}{f'  {order}' if order else ''}"
        quiet, end = (palette.quiet, palette.end) if step.skip else ("", "")
        yield f"  {quiet}{number:>3}  {harmless(step.name):{width}}  {harmless(told)}{end}"
        yield from () if step.skip else _params(step, names, palette)


def _levels(stage: StagePlan) -> dict[str, int]:
    """Return how many steps at least come before each, and itself: those with one number are side by side."""
    levels: dict[str, int] = {}
    for step in stage.steps:
        if not step.skip:
            levels[step.id] = 1 + max((levels.get(each, 0) for each in step.goes_after), default=0)
    return levels


def _order(step: StepPlan, levels: Mapping[str, int], names: Mapping[Any, str]) -> str:
    """Return what a step waits for, where its number does not say it."""
    beside = [each for each in levels.values() if each == levels[step.id]]
    above = [each for each in levels.values() if each == levels[step.id] - 1]
    if len(beside) == 1 and len(above) <= 1 and len(step.goes_after) <= 1:
        return ""
    after = [names[each] for each in step.goes_after]
    return f"after {', '.join(after)}" if after else "at once"


def _params(step: StepPlan, names: Mapping[Any, str], palette: Palette) -> Iterator[str]:
    """Yield the parameters that are not as they are unless somebody says otherwise."""
    usual = _usual(step.type)
    values = filled(step.params, step.late)
    rows = list(chain.from_iterable(_flat(key, value, usual.get(key)) for key, value in values.items()))
    width = max((len(harmless(key)) for key, _ in rows), default=0)
    for key, value in rows[:ROWS_MAX]:
        text = cut(shown(value, names))
        yield f"       {palette.quiet}{harmless(key):{width}}{palette.end}  {text}"
    if len(rows) > ROWS_MAX:
        yield f"       and {len(rows) - ROWS_MAX} more"


def _flat(key: str, value: Any, usual: Any) -> Iterator[tuple[str, Any]]:
    """Yield what differs from what is usual, a mapping by its keys."""
    if isinstance(value, dict) and value:
        known = usual if isinstance(usual, dict) else {}
        yield from ((f"{key}.{name}", each) for name, each in value.items() if each != known.get(name))
    elif value != usual:
        yield key, value


def _usual(type_: str) -> dict[str, Any]:
    row = find(type_)
    if row is None:
        return {}
    fields = row.params.model_fields.items()
    usual = {name: field.get_default(call_default_factory=True) for name, field in fields}
    return {name: _plain(value) for name, value in usual.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return list(value) if isinstance(value, tuple) else value
