"""Why a command ends with something else than 0."""

FAILED = 1  # what was asked for failed or was not found
MISUSED = 2  # the command line itself is wrong
UNREACHABLE = 3  # no Windlass answers
INTERRUPTED = 130  # Ctrl-C, as a shell counts it


class CommandFault(Exception):  # noqa: N818 - not always an error of anybody's
    """What to say on standard error, and the exit code."""

    def __init__(self, message: str, *, next_: str = "", code: int = FAILED, problem: str = "") -> None:
        super().__init__(message)
        self.problem = problem  # the type of the problem document it came with
        self.next = next_
        self.code = code
