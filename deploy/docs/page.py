"""The list of generated pages. A new one is one line in `PAGES`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.docs import (
    asyncapi,
    deployment_status,
    error_catalog,
    event_reference,
    key_reference,
    openapi,
    plan_reference,
    state_machine,
    step_reference,
    ways_out,
)
from deploy.docs.state_machine import Machine
from services.deployer import run_state, step_state
from shared.dead_letters import letter_state
from shared.language import schema


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the repository and what it has to say."""

    path: str  # relative to the repository's root
    render: Callable[[], str]


MACHINES = (
    Machine("A run", run_state.State.NOT_STARTED, run_state.TRANSITIONS, run_state.IGNORED),
    Machine("A step", step_state.StepState.PENDING, step_state.TRANSITIONS, {}),
    Machine(
        "A dead letter", letter_state.LetterState.WAITING, letter_state.TRANSITIONS, letter_state.IGNORED
    ),
)
PAGES: tuple[Page, ...] = (
    Page("docs/events.md", event_reference.render),
    Page("docs/state-machines.md", lambda: state_machine.page(MACHINES) + ways_out.section()),
    Page("docs/pipeline-keys.md", key_reference.render),
    Page("docs/steps.md", step_reference.render),
    Page("docs/plan.md", plan_reference.render),
    Page("docs/reference/deployment-status.md", deployment_status.render),
    Page("docs/reference/error-catalog.md", error_catalog.render),
    Page("docs/schemas/pipeline.json", partial(schema.document, "pipeline")),
    Page("docs/schemas/devramps.json", partial(schema.document, "devramps")),
    Page("docs/schemas/plan.json", partial(schema.document, "plan")),
    Page("docs/openapi.json", openapi.render),
    Page("docs/asyncapi.json", asyncapi.render),
)


def stale(pages: Sequence[Page], root: Path) -> tuple[Page, ...]:
    """Return the pages whose file is missing or says something else."""
    said = ((page, _text(root / page.path)) for page in pages)
    return tuple(page for page, text in said if text is None or text != page.render())


def write(pages: Sequence[Page], root: Path) -> None:
    """Write each page into its file."""
    for page in pages:
        path = root / page.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page.render(), encoding="utf-8")


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
