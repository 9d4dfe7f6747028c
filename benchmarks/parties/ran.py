"""Programs that a party needs before it can be started: run to their end, and never longer than asked."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Mapping, Sequence
from contextlib import suppress

from benchmarks.suite import Unavailable

SAID_OF_FAILURE = 600  # characters of its end


async def ran(words: Sequence[str], environ: Mapping[str, str], seconds_max: float = 60.0) -> bytes:
    """Return what a program said; it does not outlive this. Raises `Unavailable` where it failed."""
    called = " ".join(words[:4])
    try:
        process = await asyncio.create_subprocess_exec(
            *words, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, env=environ
        )
    except OSError as error:
        raise Unavailable(f"{called}: {error.strerror}") from None
    try:
        async with asyncio.timeout(seconds_max):
            said, complaint = await process.communicate()
    except TimeoutError:
        raise Unavailable(f"{called}: did not end within {seconds_max:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        last = (said + complaint).decode("utf-8", "replace").strip()[-SAID_OF_FAILURE:]
        raise Unavailable(f"{called} failed: {last}")
    return said
