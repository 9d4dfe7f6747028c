"""A step's effect, and nothing else: one line in a ledger when it begins and one when it ends.

Run as `python -I -S effect.py LEDGER NAME SECONDS`, by steps and builds, so it needs no package.
"""

import os
import sys
import time


def note(ledger: str, name: str, moment: str) -> None:
    """Append one line with one write, which the kernel keeps whole and in order."""
    told = os.environ
    words = (
        told["WINDLASS_PIPELINE"],
        told.get("WINDLASS_STAGE", "-"),  # a build is for no stage
        told["WINDLASS_COMMIT"],
        told["WINDLASS_REVISION"],
        name,
        told.get("WINDLASS_ATTEMPT", "-"),
        moment,
        str(time.monotonic_ns()),  # of this machine, whichever process asks
    )
    handle = os.open(ledger, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, f"{' '.join(words)}\n".encode())
    os.close(handle)


def main(ledger: str, name: str, seconds: str) -> None:
    """Take effect."""
    note(ledger, name, "begin")
    time.sleep(float(seconds))
    note(ledger, name, "end")


if __name__ == "__main__":
    main(*sys.argv[1:])
