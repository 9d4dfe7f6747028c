"""The proof's table of contents: what is started, what is broken, and what must hold afterwards."""

import argparse
import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.demo.ports import free_ports
from deploy.demo.repository import Repository
from deploy.images.prove import stand_in
from deploy.images.prove.engine import ROOT, STANDIN, Compose, NotProved, run
from deploy.images.prove.installation import Installation
from shared.clock import SystemClock

KILLED = (
    "deployer", "builder", "verifier", "synthesizer", "ingest", "classifier", "status", "kafka", "postgres",
)  # fmt: skip

# Where the sample says one thing, and a machine on which other things run needs another.
STAGE_PORTS = ("port: 8501", "port: 8502")

MOUNTED = """\
services:
  ingest: {{volumes: ["{folder}:/srv/git:ro"]}}
  synthesizer: {{volumes: ["{folder}:/srv/git:ro"]}}
  builder: {{volumes: ["{folder}:/srv/git:ro"]}}
"""


async def prove(installation: Installation) -> None:
    """Start, deploy, kill each, deploy again; stop, start, and find all as it was."""
    clock = SystemClock()
    begun = clock.now()

    def say(what: str) -> None:
        print(f"{(clock.now() - begun).total_seconds():6.1f} s  {what}", flush=True)  # noqa: T201

    installation.start()
    say("everything runs, healthy and not as root")
    hook = installation.register()
    await installation.deploy(hook, "Ahoy")
    say("a push is served by both stages")
    for service in KILLED:
        await installation.kill(service)
        await installation.served("Ahoy")
        say(f"{service}: killed; it came back, and both stages serve")
    await installation.deploy(hook, "Aboard")
    say("the next push is served by both stages")
    installation.compose("down")
    installation.start()
    await installation.served("Aboard")
    say("down and up: what was live is live")
    await installation.deploy(hook, "Ashore")
    say("a push after that is served: same webhook, same secrets")


@contextmanager
def installed(program: list[str], *, standin: bool, keep: bool) -> Iterator[Installation]:
    """Make what is needed; take away all of it, volumes too, unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="windlass-prove-"))
    folder.chmod(0o755)
    status, ingest, first, last = _free_range(4)
    variables, mounted = folder / "env", folder / "repositories.yaml"
    variables.write_text(
        f"WINDLASS_STATUS_PORT={status}\nWINDLASS_INGEST_PORT={ingest}\nWINDLASS_TARGET_PORTS={first}-{last}\n",
        encoding="utf-8",
    )
    mounted.write_text(MOUNTED.format(folder=folder / "forge"), encoding="utf-8")
    files = [ROOT / "compose.yaml", *([STANDIN / "compose.standin.yaml"] if standin else []), mounted]
    compose = Compose(program, files, variables)
    repository = Repository("greeter", folder / "clone", folder / "forge" / "greeter.git")
    adjusted = dict(zip(STAGE_PORTS, (f"port: {first}", f"port: {last}"), strict=True))
    asyncio.run(repository.create(adjusted))
    stages = [f"http://127.0.0.1:{port}" for port in (first, last)]
    try:
        yield Installation(compose, repository, f"http://127.0.0.1:{ingest}", stages)
    except BaseException:
        print(compose("logs", "--tail", "15", "--no-color"), file=sys.stderr)  # noqa: T201
        raise
    finally:
        if not keep:
            compose("down", "--volumes", "--timeout", "30")
            shutil.rmtree(folder)


def _free_range(count: int) -> range:
    """Return free ports in a row: a published range has to be one."""
    found: list[int] = []
    for port in free_ports():
        found = [*found, port] if found and port == found[-1] + 1 else [port]
        if len(found) == count:
            return range(found[0], port + 1)
    raise NotProved(f"no {count} free ports lie beside each other")


def main() -> int:
    """Prove it, or say what does not hold."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images.prove", description=__doc__)
    parser.add_argument("--standin", action="store_true", help="local images where none can be pulled")
    parser.add_argument("--compose", default="docker compose", help="the program  [usual: docker compose]")
    parser.add_argument("--keep", action="store_true", help="leave it running, to look around")
    asked = parser.parse_args()
    program = str(asked.compose).split()
    try:
        run(["docker", "version"])
        if asked.standin:
            stand_in.make()
        with installed(program, standin=asked.standin, keep=asked.keep) as installation:
            installation.compose("build")
            asyncio.run(prove(installation))
    except (NotProved, OSError) as problem:
        print(f"not proved: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    print("proved")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
