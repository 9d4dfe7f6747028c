"""How the command line calls the `git` program in folders of which it knows nothing.

No program that their settings name is run: hooks and file system monitors are off, and where git would
clean files, it is called `without_filters`. Nothing is fetched.
"""

import os
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from services.cli.faults import FAILED, CommandFault

GIT_SECONDS_MAX = 60.0  # of one call
COMPLAINT_CHARACTERS_MAX = 300

_SETTINGS = tuple(
    word
    for setting in (
        "add.ignoreErrors=false",
        "advice.addEmbeddedRepo=false",
        "core.fsmonitor=false",
        "core.hooksPath=/dev/null",
        "core.quotePath=false",
        "core.safecrlf=false",
        "core.splitIndex=false",
        "core.untrackedCache=false",
        "core.looseCompression=0",
        "gc.auto=0",
        "submodule.recurse=false",
    )
    for word in ("-c", setting)
)
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # a copy that has not all objects does not get them now
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


@dataclass(frozen=True, slots=True)
class Git:
    """How git is called in one copy."""

    folder: Path
    environment: Mapping[str, str]

    def run(self, *words: str, given: bytes = b"", may_fail: bool = False) -> bytes | None:
        """Return what git prints; None where it may fail and does."""
        command = ["git", *_SETTINGS, *words]
        try:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**self.environment, **_ENVIRONMENT},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise CommandFault("The git program is not installed, or not on PATH.", code=FAILED) from None
        except OSError as error:
            raise CommandFault(f"git could not be started: {error.strerror}.", code=FAILED) from None
        with process:
            out, complaint = _ended(process, given)
        if process.returncode == 0:
            return out
        if may_fail:
            return None
        told = " ".join(complaint.decode("utf-8", "replace").split())[:COMPLAINT_CHARACTERS_MAX]
        raise CommandFault(f"git {words[0]} failed in {self.folder}: {told}", code=FAILED)

    def line(self, *words: str) -> str | None:
        """Return the one line that git prints; None where it fails."""
        out = self.run(*words, may_fail=True)
        return None if out is None else os.fsdecode(out.removesuffix(b"\n"))

    def with_environment(self, more: Mapping[str, str]) -> "Git":
        """Return the same, called with more."""
        return replace(self, environment={**self.environment, **more})

    def without_filters(self) -> "Git":
        """Return the same with the programs off that settings name for cleaning files; git's ways stay."""
        listed = self.run("config", "-z", "--name-only", "--get-regexp", r"^filter\.", may_fail=True) or b""
        given = self.environment.get("GIT_CONFIG_COUNT", "0")
        count = int(given) if given.isascii() and given.isdigit() else 0
        made: dict[str, str] = {}
        for key in sorted({os.fsdecode(key) for key in listed.split(b"\0") if key}):
            value = {"clean": "", "process": "", "required": "false"}.get(key.rpartition(".")[2])
            if value is not None:
                made |= {f"GIT_CONFIG_KEY_{count}": key, f"GIT_CONFIG_VALUE_{count}": value}
                count += 1
        return self.with_environment({**made, "GIT_CONFIG_COUNT": str(count)})


def _ended(process: subprocess.Popen[bytes], given: bytes) -> tuple[bytes, bytes]:
    try:
        return process.communicate(given, timeout=GIT_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        _kill(process)
        raise CommandFault(f"git did not finish within {GIT_SECONDS_MAX:g} seconds.", code=FAILED) from None
    except BaseException:
        _kill(process)
        raise


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
