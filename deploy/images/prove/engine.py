"""The Docker engine, by its command line."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
STANDIN = ROOT / "deploy" / "images" / "standin"
PROJECT = "windlass-prove"  # its own containers and volumes, beside an installation that is in use
SECONDS_MAX = 1_800.0
COMPLAINT_CHARACTERS = 4_000


class NotProved(Exception):  # noqa: N818 - named for what is the case
    """Something was not as it must be."""


def run(words: Sequence[str]) -> str:
    """Run a command; its output is shown only if it fails."""
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, check=False, timeout=SECONDS_MAX)
    if ended.returncode:
        said = (ended.stdout + ended.stderr).decode(errors="replace")[-COMPLAINT_CHARACTERS:]
        raise NotProved(f"{' '.join(words)} ended with {ended.returncode}:\n{said}")
    return ended.stdout.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Compose:
    """One start of `compose.yaml`, under a project name of its own."""

    program: Sequence[str]  # `docker compose`, or another that understands the same
    files: Sequence[Path]
    variables: Path

    def __call__(self, *words: str) -> str:
        """Run a compose command; return its output."""
        named = [word for file in self.files for word in ("--file", str(file))]
        options = ["--project-name", PROJECT, "--env-file", str(self.variables), *named]
        return run([*self.program, *options, *words])

    def windlass(self, *words: str) -> Any:
        """Run the owner's command line where it is at home; return its JSON."""
        return json.loads(self("exec", "--no-TTY", "status", "windlass", *words, "--json"))

    def services(self) -> list[str]:
        """Return the names of all that is to be there."""
        return sorted(self("config", "--services").split())

    def container(self, service: str) -> Mapping[str, Any]:
        """Return all that the engine knows of a service's container."""
        identity = self("ps", "--all", "--quiet", service).split()
        if len(identity) != 1:
            raise NotProved(f"{service} has {len(identity)} containers")
        found: Mapping[str, Any] = json.loads(run(["docker", "inspect", identity[0]]))[0]
        return found

    def health(self, service: str) -> str:
        """Return `healthy`, `unhealthy`, `starting`, or the state of a container that does not run."""
        state = self.container(service)["State"]
        return str(state["Health"]["Status"] if state["Running"] and "Health" in state else state["Status"])
