"""Starts the gateway: `python -m services.deployer.adapters.gateway FOLDER DESCRIPTOR`.

It leaves its starter at once, before anything is imported, so that nobody has to wait for its end.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path


def main(folder: Path, descriptor: int) -> None:
    """Detach, and be the gateway; what became of that is written to the descriptor."""
    if os.fork():
        os._exit(0)
    from services.deployer.adapters.gateway.program import run  # noqa: PLC0415 - not in the starter

    def say(word: str) -> None:
        with suppress(BrokenPipeError):  # the starter was killed meanwhile
            os.write(descriptor, word.encode() + b"\n")
        os.close(descriptor)

    run(folder, say)


main(Path(sys.argv[1]), int(sys.argv[2]))
