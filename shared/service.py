"""What a service gives to the program that runs it, embedded or alone."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter

from shared.bus import Subscription


@dataclass(frozen=True, slots=True)
class Service:
    """One service, wired and not yet running."""

    subscription: Subscription
    background: tuple[Callable[[], Awaitable[None]], ...] = ()  # run for as long as the service does
    router: APIRouter | None = None  # its HTTP side, if it has one
    # What no start waits for, and no first use should. What takes long returns an iterator of small steps.
    put_off: tuple[Callable[[], object], ...] = ()

    @property
    def name(self) -> str:
        """Return the service's name."""
        return self.subscription.group
