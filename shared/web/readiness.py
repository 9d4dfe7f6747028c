"""Whether the process can do its work, and what it waits for if not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from shared.delivery import DEATHS_IN_A_ROW
from shared.faults import TryAgain
from shared.problems import RETRY_AFTER_SECONDS, ProblemDocument, ProblemError

Check = Callable[[], Awaitable[str]]  # empty when all is well, else a sentence; TryAgain is one too

CHECK_SECONDS_MAX = 3.0  # a database that hangs is no answer; whoever asks gives up after about ten


BY_ITSELF = "The process goes on trying, and is ready by itself once these are there."
BY_A_PERSON = (
    "Look at `windlass dead-letters list`, mend the cause, and restart the service after that: what waits "
    "is kept and comes again."
)


class NotReady(ProblemDocument):
    """The body of the answer while something is missing."""

    not_ready: dict[str, str]  # what is missing, and why


async def missing(checks: Mapping[str, Check]) -> dict[str, str]:
    """Return what is not as it must be, each with the reason; empty when the process is ready."""
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    return {name: reason for name, reason in zip(checks, reasons, strict=True) if reason}


def not_ready(reasons: Mapping[str, str]) -> ProblemError:
    """Return the answer that names all of them."""
    stopped = any(DEATHS_IN_A_ROW in reason for reason in reasons.values())
    problem = ProblemError(
        503,
        "not-ready",
        "; ".join(f"{name}: {reason}" for name, reason in reasons.items()),
        next_=BY_A_PERSON if stopped else BY_ITSELF,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )
    problem.document = NotReady(**problem.document.model_dump(), not_ready=dict(reasons))
    return problem


async def _reason(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            return await check()
    except TryAgain as fault:
        return str(fault)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS_MAX:g} seconds"
