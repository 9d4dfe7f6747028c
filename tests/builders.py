"""Events and orders with everything in them that a test does not care about."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from shared.events import LogAppended, PushReceived
from shared.ids import Commit, Repository
from shared.work import Order

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday
ROOT = UUID("5b6f1c1e-3a55-4a2b-9d57-0d4c3c8b7a10")  # whatever began it all


def named(name: str) -> UUID:
    """Return the same id for the same name."""
    return uuid5(ROOT, name)


def line(key: str, number: int) -> LogAppended:
    """Return the `number`th event of `key`."""
    return LogAppended(log=key, pipeline="shop", revision=1, first_line=number, lines=())


def push(repository: str) -> PushReceived:
    """Return a push to `repository`."""
    return PushReceived(
        push=named(f"push to {repository}"),
        repository=Repository(repository),
        remote=f"https://git.example/{repository}",
        branch="main",
        commit=Commit("4f" * 20),
        trigger="push",
        received_at=START,
    )


def order(name: str, share: str = "shop", kind: str = "dig") -> Order:
    """Return an order that carries its name."""
    return Order(id=named(name), kind=kind, share=share, payload={"name": name})
