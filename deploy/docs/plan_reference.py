"""`docs/plan.md`: the JSON form of a plan, with the remarks beside its fields."""

from deploy.docs.event_reference import model_section, parts_of
from shared.plan import PLAN_BYTES_MAX, Plan

HEAD = f"""\
# The plan

Written by `make docs` from `shared/plan.py` and what it is made of; do not edit.

What `windlass plan --json` prints, and what the event `windlass.revision.planned.v1` carries: version 1 of
the form, whose JSON Schema is [schemas/plan.json](schemas/plan.json). Where a value is not known yet there is
`null`, and a placeholder in `late` says where and what comes. A plan's hash is SHA-256 over its JSON with
sorted keys, without blanks, in ASCII; it may have at most {PLAN_BYTES_MAX // 1024} KiB.
"""


def render() -> str:
    """Return the whole page."""
    parts = [part for part in parts_of([Plan]) if part is not Plan]
    sections = [model_section(part, f"### {part.__name__}") for part in parts]
    return "\n".join([HEAD, model_section(Plan, "## Plan"), "## Parts\n", *sections])
