"""How large what is said may be."""

from shared.bus import Subscription
from shared.db import ServiceDatabase
from shared.events import Message, RevisionPlanned
from shared.plan import PLAN_BYTES_MAX, Plan
from tests.contract.bus.listener import say
from tests.contract.installation import Installation, running
from tests.unit.status.stories import retold


def largest(plan: Plan) -> Plan:
    """Return the plan with as many bytes as one may have."""
    first, *rest = plan.stages

    def filled(characters: int) -> Plan:
        stage = first.model_copy(update={"vars": {"filler": "x" * characters}})
        return plan.model_copy(update={"stages": (stage, *rest)})

    return filled(PLAN_BYTES_MAX - len(filled(0).canonical()))


async def test_the_largest_plan_there_may_be_is_heard_whole_and_holds_up_nobody(
    installation: Installation,
) -> None:
    heard: list[tuple[int, str]] = []

    async def revision_planned(message: Message[RevisionPlanned]) -> None:
        heard.append((message.body.revision, message.body.plan.content_hash()))

    service = ServiceDatabase(installation.database, "deployer")
    said = [retold(RevisionPlanned.type, revision=number) for number in (1, 2, 3)]
    assert isinstance(said[1], RevisionPlanned)
    plan = largest(said[1].plan)
    assert len(plan.canonical()) == PLAN_BYTES_MAX
    said[1] = said[1].model_copy(update={"plan": plan})
    bus = installation.bus([Subscription(service, {RevisionPlanned: revision_planned})])
    async with running(bus.run()):
        await say(installation.database, *said)
        await installation.until(lambda: len(heard) == 3)
    assert [number for number, _ in heard] == [1, 2, 3]
    assert heard[1] == (2, plan.content_hash())
