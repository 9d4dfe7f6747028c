"""Whose turn it is at a database whose statements run on the loop's own thread.

What is read or written there holds the loop up, and whoever did goes on right away: with a hundred tasks
that are ready at once, the loop would come back to its sockets after all of them. So one is let in
in a turn of the loop, the others wait in line. Only waiting is decided here: who is let in holds nothing,
and need not tell that it is done.
"""

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Generic, TypeVar

FIRST_IN_A_ROW_MAX = 4  # then one of the others, so that no stream of urgent ones holds them up for ever

T = TypeVar("T")
Place = asyncio.Future[None]

_goes_first: ContextVar[bool] = ContextVar("goes_first", default=False)


class Turns:
    """Lets one in a turn: the urgent before the others, each in the order in which they came."""

    __slots__ = ("_first", "_first_in_a_row", "_is_taken", "_loop", "_others")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_taken = False  # this turn; as long as anybody waits, every one is
        self._first: deque[Place] = deque()
        self._others: deque[Place] = deque()
        self._first_in_a_row = 0

    async def come(self, *, urgent: bool = False) -> None:
        """Return when it is the caller's turn: at once where nobody has had this one."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin_on(loop)
        if not self._is_taken:
            self._is_taken = True
            loop.call_soon(self._next_turn, loop)
            return
        place = loop.create_future()
        (self._first if urgent or _goes_first.get() else self._others).append(place)
        await place  # given up by being cancelled: it is passed over

    def _begin_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Forget the loop before, which has ended: nobody comes back from there."""
        self._loop = loop
        self._is_taken = False
        self._first.clear()
        self._others.clear()

    def _next_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        place = self._next()
        if place is None:
            self._is_taken = False
        else:
            place.set_result(None)
            loop.call_soon(self._next_turn, loop)

    def _next(self) -> Place | None:
        while self._first or self._others:
            is_first = bool(self._first) and (self._first_in_a_row < FIRST_IN_A_ROW_MAX or not self._others)
            place = (self._first if is_first else self._others).popleft()
            if not place.done():
                self._first_in_a_row = self._first_in_a_row + 1 if is_first else 0
                return place
        return None


class urgently(Generic[T]):  # noqa: N801 - reads as a verb: async with urgently(db.reading())
    """A transaction or reading that somebody waits for who is to be answered at once: it goes first."""

    __slots__ = ("_opened",)

    def __init__(self, opened: AbstractAsyncContextManager[T]) -> None:
        self._opened = opened

    async def __aenter__(self) -> T:
        before = _goes_first.set(True)
        try:
            return await self._opened.__aenter__()
        finally:
            _goes_first.reset(before)

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, at: TracebackType | None
    ) -> bool | None:
        return await self._opened.__aexit__(kind, raised, at)
