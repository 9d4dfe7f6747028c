"""Everything an act needs: the applications, a forge that tells of pushes, and ways to look on."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from deploy.demo import forge
from deploy.demo.api import Api
from deploy.demo.display import Display
from deploy.demo.forge import Hook
from deploy.demo.report import Act, Check, Unmet
from deploy.demo.repository import Repository
from deploy.demo.story import Story, Told
from deploy.demo.watch import Address, Answer, Watch, fault_in
from deploy.demo.windlass import Windlass

STAGES = ("staging", "production")
DECISIONS = ("revision.planned", "revision.skipped", "plan.rejected", "push.refused")
ENDINGS = ("run.succeeded", "run.failed", "run.timed_out", "run.cancelled", "run.superseded")


@dataclass(frozen=True, slots=True)
class Application:
    """A sample application, as it is deployed here."""

    repository: Repository
    hook: Hook
    addresses: Mapping[str, Address]  # by stage
    ledgers: Mapping[str, Path]  # by stage; none where nothing is migrated

    @property
    def name(self) -> str:
        """Return the name of its repository and of its pipeline."""
        return self.repository.name


@dataclass(slots=True)
class Scene:
    """Where the acts play."""

    applications: Mapping[str, Application]
    windlass: Windlass
    http: httpx.AsyncClient  # the forge's, and any user's
    api: Api
    story: Story
    watch: Watch
    display: Display
    act: Act = field(default_factory=lambda: Act(0, ""))

    @property
    def greeter(self) -> Application:
        """Return the application that most acts are about."""
        return self.applications["greeter"]

    @property
    def brochure(self) -> Application:
        """Return the static site."""
        return self.applications["brochure"]

    def check(self, expected: str, observed: object, *, met: bool) -> None:
        """Put on record what was observed."""
        check = Check(expected, str(observed), met)
        self.act.checks.append(check)
        self.display.check(check)

    async def send(self, application: Application, title: str, changes: Mapping[str, str]) -> str:
        """Commit, push, have the forge tell of it; return the id that Windlass gave the push."""
        pushed = await application.repository.push(title, changes)
        return await forge.deliver(self.http, application.hook, application.repository, pushed)

    async def decision(self, application: Application, push: str) -> int:
        """Return the revision that Windlass made of a push."""
        told = await self.story.until(
            lambda: self.story.first(*DECISIONS, push=push),
            f"a decision on push {push} of {application.name}",
        )
        if told.type != "revision.planned":
            raise Unmet(f"push {push} of {application.name} became no revision: {told.body}")
        return int(told.body["revision"])

    async def push(self, application: Application, title: str, changes: Mapping[str, str]) -> int:
        """Send a change on its way and return its revision."""
        return await self.decision(application, await self.send(application, title, changes))

    async def through(self, application: Application, revision: int, stage: str) -> Told:
        """Wait until a revision has succeeded in a stage; return that event."""
        here = {"pipeline": application.name, "stage": stage, "revision": revision, "kind": "deploy"}
        name = f"revision {revision} of {application.name}"
        told = await self.story.until(
            lambda: self.story.first(*ENDINGS, **here), f"the end of {name} in {stage}"
        )
        if told.type != "run.succeeded":
            raise Unmet(f"{name} ended in {stage}: {told.type}, {told.body}")
        return told

    async def through_all(self, application: Application, revision: int) -> None:
        """Wait until a revision has succeeded everywhere."""
        for stage in STAGES:
            await self.through(application, revision, stage)

    async def check_answers(self, application: Application, revision: int) -> None:
        """Check that every stage's stable URL answers with the revision's marker."""
        addresses = [application.addresses[stage] for stage in STAGES]
        answers = await asyncio.gather(*(self.watch.ask(address) for address in addresses))
        commit = application.repository.history[revision - 1].after  # each push becomes a revision here
        wrong = [_unlike(answer, revision, commit) for answer in answers]
        self.check(
            f"{application.name} answers on both stable URLs as revision {revision}",
            "; ".join(problem for problem in wrong if problem)
            or ", ".join(f"{answer.status} from {answer.address.url}" for answer in answers),
            met=not any(wrong),
        )

    def check_watch(self, since: int, **expected: Collection[int]) -> None:
        """Check that every stable URL answered correctly all the while.

        What is expected is by application the revisions that may answer; for one that is not
        mentioned its newest.
        """
        answers = self.watch.answers[since:]
        allowed = {
            address: expected.get(each.name, {len(each.repository.history)})
            for each in self.applications.values()
            for address in each.addresses.values()
        }
        fault = fault_in(answers, allowed)
        slowest = max((answer.seconds for answer in answers), default=0.0)
        fine = f"{len(answers)} of {len(answers)} answers, the slowest after {slowest * 1000:.0f} ms"
        self.check("every stable URL answers correctly all the while", fault or fine, met=not fault)

    def mark(self) -> int:
        """Return from where on answers count that come from now on."""
        return len(self.watch.answers)


def _unlike(answer: Answer, revision: int, commit: str) -> str:
    """Return in what an answer is not that of a revision, or the empty string."""
    if answer.problem:
        return f"{answer.address}: {answer.problem}"
    if answer.revision != revision:
        return f"{answer.address} answers with revision {answer.revision}"
    if answer.commit and answer.commit != commit:
        return f"{answer.address} answers with commit {answer.commit}"
    return ""
