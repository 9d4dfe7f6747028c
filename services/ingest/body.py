"""Reading a webhook's body: bounded in bytes, in time, and over all requests together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from shared.problems import ProblemError, unavailable

BODY_BYTES_MAX = 25 * 1024 * 1024  # GitHub's own limit
BODIES_BYTES_MAX = 64 * 1024 * 1024  # of all bodies in memory at once
SMALL_BYTES_MAX = 1024 * 1024  # what all but the largest pushes fit in
FOR_SMALL_BYTES = 16 * 1024 * 1024  # of the room above, for small bodies only: large ones cannot fill it
BODY_SECONDS_MAX = 30.0  # from the header to the last byte


@dataclass(slots=True)
class BodyRoom:
    """How much room there is for bodies; strangers may fill it, and are then told to come again."""

    left_bytes: int = BODIES_BYTES_MAX

    @contextmanager
    def taken(self) -> Iterator["Share"]:
        """Open a request's share of the room; given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.left_bytes += share.taken_bytes


@dataclass(slots=True)
class Share:
    """What one request has taken of the room."""

    room: BodyRoom
    taken_bytes: int = 0

    def grow_to(self, size: int) -> None:
        """Take more, or end the request when there is no more."""
        check_size(size)
        more = size - self.taken_bytes
        kept_free = FOR_SMALL_BYTES if size > SMALL_BYTES_MAX else 0
        if more > self.room.left_bytes - kept_free:
            raise unavailable("Too many large requests are being read at once.")
        self.room.left_bytes -= more
        self.taken_bytes = size


async def read_body(request: Request, share: Share) -> bytes:
    """Return the whole body, or end the request; a body that says it is too large is not read at all.

    Room is taken for what has arrived: taken for what is announced, it would cost a stranger one line.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal():
        check_size(int(announced[:20]))
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for chunk in request.stream():
                size += len(chunk)
                share.grow_to(size)
                chunks.append(chunk)
    except (TimeoutError, ClientDisconnect):
        raise _too_slow() from None
    return b"".join(chunks)


def check_size(size: int) -> None:
    """End a request whose body is larger than any forge's."""
    if size > BODY_BYTES_MAX:
        raise ProblemError(
            413,
            "body-too-large",
            f"The body is larger than {BODY_BYTES_MAX} bytes.",
            next_="GitHub sends no webhook larger than this; send pushes only.",
        )


def _too_slow() -> ProblemError:
    return ProblemError(
        408,
        "body-too-slow",
        f"The body did not arrive within {BODY_SECONDS_MAX:.0f} seconds.",
        next_="Send the same request again.",
    )
