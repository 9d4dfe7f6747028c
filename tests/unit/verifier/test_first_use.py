"""A prober that is made when it is first asked."""

from services.verifier.adapters.first_use import OnFirstUse
from services.verifier.adapters.prober import Prober
from services.verifier.probe import Answer, Connection, Probe

ANSWER = Answer("http://shop.test", 0.0)


class Counted:
    """Makes probers, and is the one it makes."""

    def __init__(self) -> None:
        self.made = 0
        self.asked: list[Probe | Connection] = []

    def make(self) -> Prober:
        self.made += 1
        return self

    async def ask(self, probe: Probe) -> Answer:
        self.asked.append(probe)
        return ANSWER

    async def connect(self, connection: Connection) -> Answer:
        self.asked.append(connection)
        return ANSWER


async def test_it_is_made_when_first_asked_and_once() -> None:
    counted = Counted()
    prober = OnFirstUse(counted.make)
    assert counted.made == 0

    probe = Probe("http://shop.test", 1.0, private_addresses=False, follow_redirects=False)
    connection = Connection("shop.test", 80, 1.0, private_addresses=False)
    assert await prober.ask(probe) is ANSWER
    assert await prober.connect(connection) is ANSWER
    assert (counted.made, counted.asked) == (1, [probe, connection])
