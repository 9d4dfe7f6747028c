"""A database that tells whether anybody is waiting for an answer of it."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shared.db import Database, Noted, Parameters, Reading, Rows


class Watched:
    """`Database` over another one."""

    def __init__(self, real: Database) -> None:
        self.clock = real.clock
        self.unanswered = 0  # questions under way
        self.asked = 0
        self.open = 0  # write transactions
        self.real = real

    @asynccontextmanager
    async def begin(self, *, reserved: bool = False) -> AsyncIterator[tuple[Reading, set[str]]]:
        async with self._watching(self.real.begin(reserved=reserved)) as (connection, noted):
            self.open += 1
            try:
                yield _WatchedConnection(self, connection), noted
            finally:
                self.open -= 1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Reading]:
        async with self._watching(self.real.reading()) as connection:
            yield _WatchedConnection(self, connection)

    def on_commit(self, listener: Callable[[Noted], None]) -> None:
        self.real.on_commit(listener)

    async def close(self) -> None:
        await self.real.close()

    @contextmanager
    def asking(self) -> Iterator[None]:
        self.unanswered += 1
        self.asked += 1
        try:
            yield
        finally:
            self.unanswered -= 1

    @asynccontextmanager
    async def _watching(self, manager: AbstractAsyncContextManager[Any]) -> AsyncIterator[Any]:
        with self.asking():
            given = await manager.__aenter__()
        try:
            yield given
        except BaseException as error:
            with self.asking():
                if not await manager.__aexit__(type(error), error, error.__traceback__):
                    raise
        else:
            with self.asking():
                await manager.__aexit__(None, None, None)


@dataclass(frozen=True, slots=True)
class _WatchedConnection:
    watched: Watched
    real: Reading

    async def execute(self, statement: sa.Executable, parameters: Parameters | None = None) -> Rows:
        with self.watched.asking():
            return await self.real.execute(statement, parameters)
