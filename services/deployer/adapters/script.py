"""SCRIPT:EXECUTE: shell lines of the repository's own, run once.

In the folder of a life, see `local/run_to_end.py`:

    files/      the working directory: the artifact, unpacked afresh, or nothing
    home/       HOME
    script      what is run
    output      where the script writes what later steps are given
    given       what was in there when the script had ended
"""

import json
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.deployer import script_outputs
from services.deployer.adapters.gateway.route import replace_file
from services.deployer.adapters.local.environment import environment
from services.deployer.adapters.local.evidence import Witness
from services.deployer.adapters.local.host import Host
from services.deployer.adapters.local.release import unpack
from services.deployer.adapters.local.run_to_end import LIMIT_MARGIN_SECONDS
from services.deployer.script_outputs import FILE_BYTES_MAX, Wrong
from services.deployer.step_order import Done, StepAnswer, StepOrder
from shared.artifacts.folder import write_whole
from shared.crash import point
from shared.process import Exit, ProcessSpec
from shared.step_types import ScriptExecute

_NO_FILE = Wrong("it put something else in place of the file WINDLASS_OUTPUT")


@dataclass(frozen=True, slots=True)
class Script:
    """The command of SCRIPT:EXECUTE."""

    host: Host

    @property
    def witness(self) -> Witness:
        """Return who tells how it broke."""
        return Witness("deploy", "the script", self.host.processes, self.host.clock)

    @property
    def worked_with(self) -> Sequence[str]:
        """Return what in the folder is of no use once the end is answered for."""
        return ("files", "home", "output")

    async def make_ready(self, order: StepOrder, life: Path) -> ProcessSpec:
        """Put everything there that the script needs; safe to repeat until it is started."""
        params = ScriptExecute.model_validate(order.step.params)
        env = environment(order, params.env, self.host.search_path, life / "home")
        (life / "home").mkdir(mode=0o700, exist_ok=True)
        if params.artifact:
            await unpack(self.host, order, params.artifact, life / "files")
        else:
            (life / "files").mkdir(exist_ok=True)
        (life / "output").touch()
        script = "\n".join(["set -eu", *params.commands, ""])
        write_whole(life / "script", script.encode())
        return ProcessSpec(
            argv=("/bin/sh", str((life / "script").absolute())),
            cwd=life / "files",
            env={**env, "WINDLASS_OUTPUT": str((life / "output").absolute())},
            limit_seconds=order.step.timeout_seconds + LIMIT_MARGIN_SECONDS,
        )

    async def answer(self, order: StepOrder, life: Path, end: Exit) -> StepAnswer:
        """Answer for an end; what the script gave is kept first, since the file it wrote is removed."""
        if not end.succeeded:
            return self.witness.ended(order, life / "process", end)
        given = _noted(life / "given")
        if given is None:
            given = _given(life / "output")
            if given != {}:  # without any, there is none either when the file is gone
                _note(life / "given", given)
                point("deployer.script.outputs_noted")
        if isinstance(given, Wrong):
            message = f"the script ended well, but {given.message}"
            return self.witness.said(order, "error", message, life / "process", "outputs")
        return Done(given)


def _given(file: Path) -> Mapping[str, str] | Wrong:
    """Read what a script wrote; nothing but a file of its own is opened."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return {}  # it took the file away: it has nothing to give
    except OSError:
        return _NO_FILE
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return _NO_FILE
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return script_outputs.read(stream.read(FILE_BYTES_MAX + 1))
    finally:
        os.close(descriptor)


def _note(file: Path, given: Mapping[str, str] | Wrong) -> None:
    wrong = given.message if isinstance(given, Wrong) else ""
    outputs = {} if isinstance(given, Wrong) else given
    replace_file(file, json.dumps({"wrong": wrong, "outputs": outputs}).encode())


def _noted(file: Path) -> Mapping[str, str] | Wrong | None:
    """Return what an earlier life found; None when it did not come so far, or a power cut damaged it."""
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        document = json.loads(file.read_bytes())
        return Wrong(document["wrong"]) if document["wrong"] else dict(document["outputs"])
    return None
