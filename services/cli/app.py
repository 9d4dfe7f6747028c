"""`windlass`: how a command begins and how it ends. The list of commands is in `contents.py`."""

import io
import sys

from services.cli import at_once
from services.cli.faults import INTERRUPTED, CommandFault
from services.cli.loading import loading
from services.cli.output import harmless


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a character gets its number
            stream.reconfigure(errors="backslashreplace")
    try:
        _run()
    except CommandFault as fault:
        print(f"windlass: {_harmless(str(fault))}", file=sys.stderr)
        if fault.next:
            print(f"  {_harmless(fault.next)}", file=sys.stderr)
        sys.exit(fault.code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone
        sys.exit(0)


def _run() -> None:
    code = at_once.exit_code(sys.argv[1:])
    if code is not None:
        sys.exit(code)
    with loading():
        from services.cli.command_line import app  # noqa: PLC0415 - what is run at once does without

    app(prog_name="windlass")


def _harmless(text: str) -> str:
    return "\n".join(harmless(line) for line in text.split("\n"))
