"""What a start put off, done when the program has been up for a moment.

A restart is waited for, and so is the first deployment after it: what takes long to load is loaded in
between, piece by piece, so that neither pays for it, nor does whoever asks for something meanwhile.
"""

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence

import structlog

from shared.clock import Clock
from shared.delivery import TYPES, failure_of
from shared.service import Service

AFTER_SECONDS = 2.0  # whoever waited for the start has been answered

log = structlog.get_logger()


async def catch_up(services: Sequence[Service], clock: Clock) -> None:
    """Do all of it, others having their turns in between; a piece that fails is left to its first use."""
    await clock.sleep(AFTER_SECONDS)
    models = [model.model_rebuild for model in TYPES.values()]
    for piece in [*models, *(each for service in services for each in service.put_off)]:
        error = await failure_of(_done(piece))
        if error is not None:
            log.warning("start.piece_put_off_again", piece=repr(piece), exc_info=error)
    gc.freeze()  # none of it is ever garbage


async def _done(piece: Callable[[], object]) -> None:
    steps = piece()
    for _ in steps if isinstance(steps, Iterator) else [steps]:
        await asyncio.sleep(0)
