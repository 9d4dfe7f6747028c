"""Writes `crash_points.txt`: every crash point that a deployment passes, found by tracing one.

Run as `python -m tests.e2e.crash_trace` after a crash point was added, moved or removed.
"""

import asyncio
import tempfile
from pathlib import Path

import httpx

from tests.e2e.harbour import new_harbour
from tests.e2e.program import Program
from tests.ports import free_port

CRASH_POINTS_FILE = Path(__file__).with_name("crash_points.txt")


async def trace(folder: Path) -> set[str]:
    """Return the points passed by a second deployment, from its webhook to its end in production."""
    program = Program(folder, free_port())
    harbour = new_harbour(folder, program, {"staging": free_port(), "production": free_port()})
    passed = folder / "passed"
    try:
        await program.start()
        harbour.register()
        async with httpx.AsyncClient() as http:
            await harbour.post(http, harbour.commit())
            await harbour.deployed(1)
            await program.end()
            await program.start(WINDLASS_CRASH_TRACE=str(passed))
            await harbour.post(http, harbour.commit())
            await harbour.deployed(2)
        await program.end()
    finally:
        await program.clear()
    return set(passed.read_text("utf-8").split())


def main() -> None:
    """Write the file."""
    with tempfile.TemporaryDirectory() as folder:
        points = asyncio.run(trace(Path(folder)))
    CRASH_POINTS_FILE.write_text("".join(f"{point}\n" for point in sorted(points)), "utf-8")


if __name__ == "__main__":
    main()
