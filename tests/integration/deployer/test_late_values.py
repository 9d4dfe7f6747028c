"""Late values on real SQLite, bus and work: filled in before a step is carried out, or it is not begun."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.deployer.adapters.fakes import FakeCarrier
from services.deployer.step_order import Done, StepAnswer, StepOrder
from shared.events import RunFailed, RunSucceeded, StepFailed, StepStarted, StepSucceeded
from shared.ids import Step
from shared.placeholder import (
    ArtifactOf,
    Call,
    Constant,
    FactOf,
    Joined,
    LateValue,
    OutputOf,
    Placeholder,
    SecretOf,
)
from shared.plan import StepPlan
from tests.integration.deployer import promises
from tests.integration.deployer.stand import SERVICE, Stand, plan, planned, step

URL = OutputOf(step=Step("web"), name="url")
GONE = OutputOf(step=Step("web"), name="gone")


@dataclass
class Recorder(FakeCarrier):
    """Keeps what it was told to do; each run's service has an address of its own."""

    seen: list[tuple[str, StepOrder]] = field(default_factory=list)

    async def run(self, order: StepOrder, called_off: asyncio.Event) -> StepAnswer:
        self.seen.append(("run", order))
        return await FakeCarrier.run(self, order, called_off)

    async def switch(self, order: StepOrder) -> StepAnswer:
        self.seen.append(("switch", order))
        await FakeCarrier.switch(self, order)
        return Done({"url": f"http://{order.run}/{order.step.id}"})

    def params(self, step: str, action: str = "run") -> list[dict[str, Any]]:
        return [order.step.params for did, order in self.seen if (did, order.step.id) == (action, step)]


@pytest.fixture
def carrier(stand: Stand) -> Recorder:
    recorder = Recorder()
    stand.carrier = recorder
    return recorder


def with_env(id_: str, value: LateValue, *after: str, type_: str = "SCRIPT:EXECUTE") -> StepPlan:
    bare = step(id_, type_, *after)
    late = (Placeholder(at=("env", "URL"), value=value),)
    return bare.model_copy(update={"params": {**bare.params, "env": {"URL": None, "A": "b"}}, "late": late})


def smoke(value: LateValue, **web: Any) -> tuple[StepPlan, ...]:
    return step("web", SERVICE, **web), with_env("smoke", value, "web")


async def test_a_step_is_carried_out_with_what_earlier_ones_gave(stand: Stand, carrier: Recorder) -> None:
    address = Joined(parts=(URL, Constant(value="/health")))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=smoke(address))))
        await stand.until_said(RunSucceeded, stage="production")
    runs = [event.run for event in stand.said(RunSucceeded)]
    assert carrier.params("smoke") == [
        {"commands": ["true"], "env": {"URL": f"http://{run}/web/health", "A": "b"}} for run in runs
    ]
    assert all(not order.step.late for _, order in carrier.seen)
    promises.kept(stand)


async def test_a_service_is_switched_with_the_same_values_and_verified(
    stand: Stand, carrier: Recorder
) -> None:
    steps = (step("web", SERVICE), with_env("shop", URL, "web", type_=SERVICE))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps, stages=("staging",))))
        done = await stand.until_said(RunSucceeded)
    given = {"artifact": "web", "command": ["serve"], "env": {"URL": f"http://{done.run}/web", "A": "b"}}
    assert carrier.params("shop") == carrier.params("shop", "switch") == [given]
    assert set(done.urls) == {"web", "shop"}


async def test_the_digest_of_an_artifact_is_known(stand: Stand, carrier: Recorder) -> None:
    digest = ArtifactOf(artifact="web", name="digest", copied=True)
    async with stand.running():
        await stand.say(planned(3, plan(3, steps=smoke(digest), stages=("staging",))))
        await stand.until_said(RunSucceeded)
    assert [params["env"]["URL"] for params in carrier.params("smoke")] == [f"sha256:{3:064x}"]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param(GONE, '"env.URL" has no value: step "web" gave no output "gone"', id="output"),
        pytest.param(
            OutputOf(step=Step("nobody"), name="url"), 'this run has no step "nobody"', id="no step"
        ),
        pytest.param(
            SecretOf(owner="organization", name="TOKEN"),
            'this release keeps no secrets, and "TOKEN" is one of the organization\'s',
            id="secret",
        ),
        pytest.param(
            ArtifactOf(artifact="web", name="image_url", copied=True),
            'this release cannot tell image_url of artifact "web"',
            id="artifact's member",
        ),
        pytest.param(
            ArtifactOf(artifact="api", name="digest", copied=True),
            'artifact "api" has no digest in this run',
            id="no artifact",
        ),
        pytest.param(
            FactOf(names=("organization", "slug")),
            'this installation does not tell "organization.slug"',
            id="fact",
        ),
        pytest.param(
            Call(function="default", arguments=(GONE, Constant(value=8080))),
            'the value for "env.URL" does not fit: input should be a valid string',
            id="wrong kind",
        ),
    ],
)
async def test_a_step_that_lacks_a_value_fails_before_it_is_begun(
    stand: Stand, carrier: Recorder, value: LateValue, why: str
) -> None:
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=smoke(value))))
        failed = await stand.until_said(RunFailed)
    (broken,) = stand.said(StepFailed)
    assert (broken.step, broken.evidence.kind, broken.evidence.what) == ("smoke", "error", "smoke")
    assert broken.evidence.message.startswith("step 'smoke' was not started: ")
    assert why in broken.evidence.message
    assert broken.evidence.stated == "lacking"
    assert (failed.failed_in, failed.step) == ("step", "smoke")
    assert not carrier.params("smoke")
    assert not stand.said(RunSucceeded)


async def test_a_service_that_lacks_a_value_leaves_no_candidate(stand: Stand, carrier: Recorder) -> None:
    steps = (step("web", SERVICE), with_env("shop", GONE, "web", type_=SERVICE))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps)))
        await stand.until_said(RunFailed)
    assert not carrier.candidates
    assert [event.evidence.phase for event in stand.said(StepFailed)] == ["deploy"]


async def test_a_restart_in_the_middle_of_a_step_gives_it_the_same_values(
    stand: Stand, carrier: Recorder
) -> None:
    let_go = carrier.hold("smoke")
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=smoke(URL), stages=("staging",))))
        await stand.until_said(StepStarted, step="smoke")
        await stand.until(lambda: bool(carrier.params("smoke")))
    let_go.set()
    async with stand.running():
        done = await stand.until_said(RunSucceeded)
    given = carrier.params("smoke")
    assert len(given) == 2
    assert {params["env"]["URL"] for params in given} == {f"http://{done.run}/web"}
    promises.kept(stand)


async def test_a_rollback_uses_what_its_own_steps_gave(stand: Stand, carrier: Recorder) -> None:
    stand.bad_stages = {2}
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=smoke(URL), stages=("staging",))))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(planned(2, plan(2, steps=smoke(URL), stages=("staging",))))
        restored = await stand.until_said(RunSucceeded, state="Rolled Back")
    assert carrier.params("smoke")[-1]["env"]["URL"] == f"http://{restored.run}/web"
    assert len(stand.said(StepSucceeded, step="smoke")) == 3


async def test_a_rollback_uses_what_a_step_it_leaves_out_gave_in_the_run_it_restores(
    stand: Stand, carrier: Recorder
) -> None:
    stand.bad_stages = {2}
    steps = (*smoke(URL, on_rollback="skip"), step("api", SERVICE, "smoke"))
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps, stages=("staging",))))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(planned(2, plan(2, steps=steps, stages=("staging",))))
        await stand.until_said(RunSucceeded, state="Rolled Back")
    first = stand.said(RunSucceeded, revision=1)[0]
    assert carrier.params("smoke")[-1]["env"]["URL"] == f"http://{first.run}/web"


async def test_a_default_is_not_needed_for_what_a_rollback_leaves_out(
    stand: Stand, carrier: Recorder
) -> None:
    stand.bad_stages = {2}
    otherwise = Call(function="default", arguments=(URL, Constant(value="none")))
    steps = smoke(otherwise, on_rollback="skip")
    async with stand.running():
        await stand.say(planned(1, plan(1, steps=steps, stages=("staging",))))
        await stand.until_said(RunSucceeded, revision=1)
        await stand.say(planned(2, plan(2, steps=steps, stages=("staging",))))
        await stand.until_said(RunSucceeded, state="Rolled Back")
    first = stand.said(RunSucceeded, revision=1)[0]
    assert carrier.params("smoke")[-1]["env"]["URL"] == f"http://{first.run}/web"
