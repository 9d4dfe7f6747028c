"""One repository with its pipeline, whose every effect is a line in a ledger outside of Windlass."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent

from deploy.demo.forge import Hook
from shared.ids import Commit
from tests.contract.git.repository import WorkingCopy, new_repository
from tests.distributed import ledger
from tests.distributed.ledger import BUILD, Effect, Shape
from tests.ports import free_port

HERE = Path(__file__).parent
PYTHON = f"{Path(sys.executable).resolve()} -I -S"
STAGES = ("staging", "production")
OWNER = "acme"
VERIFIED_BY_SECONDS = 600  # a fault lasts less; what is not verified by then is a finding

ARTIFACT = """\
artifacts:
  App:
    type: BUNDLE:BUILD
    rebuild_when_changed: [/app]
    params:
      build_commands:
        - {python} {here}/effect.py {ledger} {build} {seconds}
      file_path: /app
"""
SCRIPT = """\
- name: {name}
  type: SCRIPT:EXECUTE
  params:
    commands: ["{python} {here}/effect.py {ledger} {name} {seconds}"]
"""
SERVICE = """\
- name: {name}
  type: LOCAL:SERVICE:DEPLOY
  timeout_minutes: 15
  params:
    artifact: App
    command: {python} {here}/serving.py {ledger} {name}
    port: ${{{{ vars.port }}}}
    grace_seconds: 2
    verify: {{paths: [{{path: /}}], interval_seconds: 0.1, deadline_seconds: {deadline}}}
"""


@dataclass
class Barge:
    """What is carried through the locks."""

    shape: Shape
    repository: WorkingCopy
    ledger_file: Path
    ports: Mapping[str, int]  # by stage, where it serves
    seconds: float  # that a step or a build takes
    hook: Hook | None = None
    commits: list[Commit] = field(default_factory=list)  # pushed, oldest first

    @property
    def name(self) -> str:
        return self.shape.name

    def commit(self) -> Commit:
        """Make the next commit, on top of those before: one process, there are many of them."""
        number = len(self.commits) + 1
        files = {
            f".windlass/{self.name}/pipeline.yaml": self._manifest(),
            "app/number": f"{number}\n",
            "README.md": f"Commit {number} of {self.name}.\n",
        }
        parent = [f"from {self.commits[-1]}"] if self.commits else []
        lines = [
            "commit refs/heads/main",
            "mark :1",
            f"committer Ada <ada@example.test> {1_767_225_600 + number} +0000",
            *_data(f"Commit {number}"),
            *parent,
        ]
        for path, text in files.items():
            lines += [f"M 100644 inline {path}", *_data(text)]
        given = "\n".join([*lines, "get-mark :1", ""])
        self.commits.append(Commit(self.repository.git("fast-import", "--quiet", given=given.encode())))
        return self.commits[-1]

    @property
    def behind(self) -> int:
        """Return how many commits are newer than the newest that has taken effect."""
        begun = {effect.commit for effect in self.effects()}
        place = max((place for place, commit in enumerate(self.commits) if commit in begun), default=-1)
        return len(self.commits) - 1 - place

    def effects(self) -> list[Effect]:
        """Return every effect so far."""
        return ledger.read(self.ledger_file.read_text("utf-8")) if self.ledger_file.exists() else []

    def wrongs(self) -> list[str]:
        """Return every way in which the effects break a promise; it is at rest."""
        return ledger.wrongs(self.shape, self.effects(), self.commits)

    def url(self, stage: str) -> str:
        """Return where a stage serves, if it does."""
        return f"http://127.0.0.1:{self.ports[stage]}/"

    def _manifest(self) -> str:
        values = {
            "python": PYTHON,
            "here": HERE,
            "ledger": self.ledger_file,
            "seconds": self.seconds,
            "build": BUILD,
            "deadline": VERIFIED_BY_SECONDS,
        }
        steps = "".join(
            (SERVICE if step == self.shape.serves else SCRIPT).format(name=step, **values)
            for step in self.shape.steps
        )
        stages = "".join(f"- name: {stage}\n  vars: {{port: {self.ports[stage]}}}\n" for stage in STAGES)
        artifact = ARTIFACT.format(**values) if self.shape.built else ""
        parts = f"{artifact}stages:\n{indent(stages, '  ')}steps:\n{indent(steps, '  ')}"
        return f'version: "1"\npipeline:\n{indent(parts, "  ")}'


def new_barge(folder: Path, number: int, seconds: float) -> Barge:
    """Make a repository: the first two serve, every third builds, the rest are scripts alone."""
    serves = "serve" if number < 2 else ""
    built = bool(serves) or number % 3 == 0
    steps = ("first", *((serves,) if serves else ()), "last")
    shape = Shape(f"barge-{number:02}", STAGES, steps, serves, built)
    repository = new_repository(folder / "repositories" / shape.name)
    ports = {stage: free_port() for stage in STAGES}
    return Barge(shape, repository, folder / f"{shape.name}.ledger", ports, seconds)


def _data(text: str) -> list[str]:
    """Return a text as fast-import takes it."""
    return [f"data {len(text.encode())}", text]
