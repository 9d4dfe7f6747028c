"""Pipelines as chance draws them: stages, graphs of steps, gates, windows, limits."""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from random import Random
from typing import Any
from uuid import uuid5

from services.deployer.gate import GATES
from shared.events import RevisionPlanned
from shared.ids import BuildKey, Commit, Pipeline, Repository, Stage, Step
from shared.plan import ArtifactPlan, Attempts, DefinitionApproval, Plan, StagePlan, StepPlan
from tests.builders import ROOT
from tests.simulation import hours

NAMES = ("staging", "canary", "production")
PEOPLE = ("ada", "bob", "cleo")
VERIFY = {
    "paths": [{"path": "/"}],
    "successes": 2,
    "interval_seconds": 3.0,
    "deadline_seconds": 20.0,
    "health_interval_seconds": 3600.0,  # else most of a trial would be looks
}
GATE = {"message": "", "approvers": [], "expires_after_hours": 2}


@dataclass
class Shape:
    """A pipeline's file as it stands, and what its pushes make of it."""

    dice: Random
    pipeline: str
    begins: datetime  # the installation
    stages: list[StagePlan] = field(default_factory=list)
    revision: int = 0
    key: int = 0  # changes when what is built does
    settled: bool = False  # nobody changes the file any more

    approval: DefinitionApproval = "NEVER"

    def __post_init__(self) -> None:
        self.approval = self.dice.choice(("NEVER", "NEVER", "ALWAYS", "DESTRUCTIVE_CHANGES_ONLY"))
        count = self.dice.choice((1, 2, 2, 3))
        self.stages = [self._stage(name) for name in NAMES[:count]]

    def planned(self) -> RevisionPlanned:
        """Return the next revision, now and then of another shape."""
        self.revision += 1
        if not self.settled and self.dice.random() < 0.1:
            self._reshape()
        if self.dice.random() < 0.9:
            self.key = self.revision
        artifact = ArtifactPlan(
            id="web",
            name="Web",
            build_key=BuildKey(sha256(f"{self.pipeline} {self.key}".encode()).hexdigest()),
            commands=("make",),
            path="dist",
        )
        plan = Plan(
            pipeline=Pipeline(self.pipeline),
            repository=Repository(f"acme/{self.pipeline}"),
            remote="/srv/shop",
            branch="main",
            commit=Commit(f"{self.revision:040x}"),
            definition_approval=self.approval,
            timeout_seconds=None if self.settled else self.dice.choice((*[None] * 7, 600.0, 3600.0)),
            artifacts=(artifact,),
            stages=tuple(self.stages),
        )
        return RevisionPlanned(
            push=uuid5(ROOT, f"{self.pipeline} {self.revision}"),
            pipeline=plan.pipeline,
            repository=plan.repository,
            branch="main",
            commit=plan.commit,
            revision=self.revision,
            plan_hash=plan.content_hash(),
            plan=plan,
            title=f"Change {self.revision}",
            author="Ada",
            trigger="push",
            pusher=self.dice.choice(PEOPLE),
            received_at=self.begins,
        )

    def plain(self) -> None:
        """Let nothing stand in a stage's way any more: no gate, no window, nobody who is first in line."""
        self.settled = True
        self.stages = [
            stage.model_copy(
                update={
                    "window": None,
                    "queue": "newest",
                    "steps": tuple(
                        step if not step.type.startswith("APPROVAL") else _script(step)
                        for step in stage.steps
                    ),
                }
            )
            for stage in self.stages
        ]

    def _reshape(self) -> None:
        names = [stage.name for stage in self.stages]
        if len(names) > 1 and self.dice.random() < 0.3:
            self.stages = [stage for stage in self.stages if stage.name != names[-1]]
        elif len(names) < 3 and self.dice.random() < 0.5:
            missing = next(name for name in NAMES if name not in names)
            self.stages.append(self._stage(missing))
        elif self.dice.random() < 0.4:
            self.dice.shuffle(self.stages)
        else:
            place = self.dice.randrange(len(names))
            self.stages[place] = self._stage(names[place])

    def _stage(self, name: str) -> StagePlan:
        steps: list[StepPlan] = []
        for place in range(self.dice.choice((1, 2, 2, 3, 4))):
            before = [step.id for step in steps]
            graph = self.dice.random() < 0.3
            after = self.dice.sample(before, self.dice.randint(0, len(before))) if graph else before[-1:]
            steps.append(self._step(f"s{place}", tuple(after)))
        return StagePlan(
            name=Stage(name),
            target="local",
            window=hours.window(self.dice, self.begins),
            queue="fifo" if self.dice.random() < 0.2 else "newest",
            alarm=alarm_of(self.pipeline, name) if self.dice.random() < 0.5 else "",
            steps=tuple(steps),
            timeout_seconds=self.dice.choice((300.0, 900.0, 1800.0)),
        )

    def _step(self, id_: str, after: tuple[Step, ...]) -> StepPlan:
        type_ = self.dice.choice(
            ("SCRIPT:EXECUTE",) * 6
            + ("LOCAL:SERVICE:DEPLOY",) * 4
            + ("APPROVAL:MANUAL", "APPROVAL:BAKE", "APPROVAL:TEST")
        )
        by_type: dict[str, dict[str, Any]] = {
            "SCRIPT:EXECUTE": {"commands": ["true"]},
            "LOCAL:SERVICE:DEPLOY": {
                "artifact": "web",
                "command": ["serve"],
                "verify": {**VERIFY, "soak_seconds": self.dice.choice((0.0, 0.0, 0.0, 30.0))},
            },
            "APPROVAL:MANUAL": {
                **GATE,
                "approvals": self.dice.choice((1, 1, 2)),
                "self_approval": self.dice.random() < 0.7,
            },
            "APPROVAL:TEST": {"testCommand": "make smoke", "expires_after_hours": 2},
            "APPROVAL:BAKE": {"duration_minutes": self.dice.choice((1, 10, 60))},
        }
        gate = type_ in GATES
        return StepPlan(
            id=Step(id_),
            name=id_,
            type=type_,
            params=by_type[type_],
            goes_after=after,
            timeout_seconds=8 * 3600.0 if gate else self.dice.choice((30.0, 120.0, 400.0)),
            attempts=Attempts(max=1 if type_.startswith("APPROVAL") else self.dice.choice((1, 1, 2, 3))),
            on_sibling_failure=self.dice.choice(("cancel", "finish")),
            on_rollback="skip" if type_.startswith("APPROVAL") or self.dice.random() < 0.2 else "run",
        )


def alarm_of(pipeline: str, stage: str) -> str:
    """Return the name of a stage's alarm, if it has one."""
    return f"{pipeline}-{stage}-5xx"


def _script(step: StepPlan) -> StepPlan:
    return step.model_copy(
        update={"type": "SCRIPT:EXECUTE", "params": {"commands": ["true"]}, "timeout_seconds": 400.0}
    )
