"""Running the `git` program: its environment, its settings, its limits, and its complaints as faults."""

import asyncio
import os
import re
import resource
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from shared.faults import Refused, TryAgain
from shared.git.address import Address, redacted
from shared.git.port import BranchMissing, CommitMissing

STDERR_BYTES_MAX = 16 * 1024  # what is kept of git's complaints; the rest is read and dropped
ANSWER_BYTES_MAX = 64 * 1024  # of what it answers: the ids of a thousand commits
MESSAGE_CHARACTERS_MAX = 400  # what of it reaches a person

# Given on every command line, so that no file, ours or a stranger's, can say otherwise.
SETTINGS = tuple(
    word
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.sshCommand=ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15",
        "credential.helper=",
        "fetch.fsckObjects=true",
        # Faults of old histories that do no harm to someone who only reads:
        "fetch.fsck.zeroPaddedFilemode=ignore",
        "fetch.fsck.missingSpaceBeforeDate=ignore",
        "fetch.fsck.missingSpaceBeforeEmail=ignore",
        "fetch.fsck.badTimezone=ignore",
        # A fetch becomes one pack, whole or not there. Unpacked, a fetch that was killed can leave a
        # commit without its files.
        "fetch.unpackLimit=1",
        "fetch.recurseSubmodules=false",
        "fetch.writeCommitGraph=false",
        "gc.auto=0",
        "gc.pruneExpire=90.days.ago",  # a commit that was pushed over stays deployable that long
        "http.lowSpeedLimit=1000",
        "http.lowSpeedTime=30",
        "maintenance.auto=false",
        "pack.threads=1",
        "protocol.ext.allow=never",
        "submodule.recurse=false",
        "transfer.bundleURI=false",
    )
    for word in ("-c", setting)
)

# For the far end of a local path alone, which command-line settings do not reach: the operator named
# that folder, whoever owns it.
FAR_END_SETTINGS = "[safe]\n\tdirectory = *\n"

_ALLOWED = {"file": "file", "ssh": "ssh", "https": "https", "http": "http:https"}

_MISSING_BRANCH = re.compile(r"couldn't find remote ref|no such remote ref", re.IGNORECASE)
_MISSING_COMMIT = re.compile(r"not our ref|unadvertised object", re.IGNORECASE)
_HOPELESS = re.compile(
    "repository .* not found|does not appear to be a git repository|does not exist"
    "|authentication failed|could not read (?:username|password)|invalid username or"
    "|permission denied|access denied|host key verification failed|ssl certificate problem"
    "|returned error: 40[0134]|transport .* not allowed|url .*(?:malformed|rejected)"
    "|fsck error|mismatched algorithms|dubious ownership",
    re.IGNORECASE,
)
_DAMAGED = re.compile(
    r"corrupt|bad object|unable to read tree|broken ref|missing (?:blob|tree|commit)|"
    r"not a git repository|invalid (?:sha1 )?pointer|inflate|packfile .* (?:cannot|is )",
    re.IGNORECASE,
)
_LOCKED_OUT = re.compile(r"\.lock'?: file exists|cannot lock ref", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a remote or a repository may go."""

    fetch_seconds_max: float = 300.0
    read_seconds_max: float = 30.0  # one answer out of a mirror
    tidy_seconds_max: float = 600.0
    checkout_seconds_max: float = 600.0
    lock_seconds_max: float = 330.0  # another process's fetch, and a little
    pack_bytes_max: int = 4 * 1024**3  # of one fetch
    checkout_bytes_max: int = 4 * 1024**3
    checkout_files_max: int = 200_000
    listing_entries_max: int = 10_000
    object_bytes_max: int = 32 * 1024**2  # of a tree or commit, which are read whole


@dataclass(frozen=True, slots=True)
class Ended:
    """How a git process ended, which may be well."""

    exit_code: int  # negative: the signal that ended it
    complaint: str
    answer: str = ""  # at most `ANSWER_BYTES_MAX` of it

    @property
    def locked_out(self) -> bool:
        """Tell whether a lock file of git's own stood in the way."""
        return self.exit_code != 0 and bool(_LOCKED_OUT.search(self.complaint))

    @property
    def damaged(self) -> bool:
        """Tell whether git says that the mirror itself is broken."""
        return self.exit_code != 0 and bool(_DAMAGED.search(self.complaint))


def bare_environment(address: Address, far_end_settings: str, extra: Mapping[str, str]) -> dict[str, str]:
    """Return all that git gets to see of the world."""
    made = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        **extra,
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": _ALLOWED[address.protocol],
        "GIT_ASKPASS": "false",
        "GIT_CONFIG_GLOBAL": far_end_settings,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_SSH_VARIANT": "ssh",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if address.authorization:
        made["GIT_CONFIG_COUNT"] = "1"
        made["GIT_CONFIG_KEY_0"] = f"http.{address.url}.extraHeader"
        made["GIT_CONFIG_VALUE_0"] = f"Authorization: {address.authorization}"
    return made


async def start(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: int = PIPE,
    stdout: int = PIPE,
    stderr: int = DEVNULL,
    held: int | None = None,
) -> Process:
    """Start git in a session of its own."""
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(environ),
            start_new_session=True,
            pass_fds=() if held is None else (held,),
        )
    except FileNotFoundError as exc:
        raise Refused("the git program is not installed, or not on PATH") from exc
    except OSError as exc:
        raise TryAgain(f"git could not be started: {exc.strerror}") from exc


async def run(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    seconds_max: float,
    file_bytes_max: int,
    held: int | None,
) -> Ended:
    """Run git to its end. `held`, a lock's descriptor, stays open in it and its children.

    So the lock outlives us if we are killed, for as long as git goes on without us.
    """
    process = await start(command, environ, stdin=DEVNULL, stderr=PIPE, held=held)
    try:
        async with asyncio.timeout(seconds_max):
            with suppress(ProcessLookupError):
                resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (file_bytes_max,) * 2)
            complaint, answer = await asyncio.gather(
                _told(process.stderr, STDERR_BYTES_MAX), _told(process.stdout, ANSWER_BYTES_MAX)
            )
            exit_code = await process.wait()
    except TimeoutError as exc:
        await end_group(process)
        raise TryAgain(f"git did not finish within {seconds_max:g} seconds") from exc
    except BaseException:
        await end_group(process)
        raise
    return Ended(exit_code, complaint, answer)


async def end_group(process: Process) -> None:
    """Kill the process and all that it started, and take what is left in its pipes.

    A pipe that nobody reads to its end keeps its descriptor until the garbage is collected.
    """
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdout, process.stderr):
        while pipe and await pipe.read(STDERR_BYTES_MAX):
            pass
    await process.wait()


def raise_fault(ended: Ended, tried: str) -> NoReturn:
    """Raise what follows from git's complaint, in words that hold no credentials."""
    complaint = " ".join(redacted(ended.complaint).split())[:MESSAGE_CHARACTERS_MAX]
    message = f"{tried}: {complaint or f'git ended with {ended.exit_code}'}"
    if _MISSING_BRANCH.search(complaint):
        raise BranchMissing(message)
    if _MISSING_COMMIT.search(complaint):
        raise CommitMissing(message)
    raise (Refused if _HOPELESS.search(complaint) else TryAgain)(message)


async def _told(pipe: asyncio.StreamReader | None, bytes_max: int) -> str:
    """Return the beginning of what is written into a pipe, without line ends; read it to its end."""
    assert pipe is not None
    kept = bytearray()
    while chunk := await pipe.read(bytes_max):
        kept += chunk[: bytes_max - len(kept)]
    text = kept.decode("utf-8", "replace")
    return "".join(mark if mark.isprintable() else " " for mark in text)
