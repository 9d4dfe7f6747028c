"""The demo's five acts, told to a fleet: what one process can do, ten can."""

import os
import subprocess
import sys
from asyncio import create_subprocess_exec, timeout
from json import loads
from pathlib import Path

from tests.distributed.trial import Trial

ROOT = Path(__file__).resolve().parents[3]
SECONDS_MAX = 300.0


async def play(trial: Trial, seconds: float) -> None:
    """Have the demo observe what it is there to observe."""
    process = await create_subprocess_exec(
        sys.executable,
        *("-m", "deploy.demo", "--json", "--url", trial.fleet.url("status")),
        *("--data", str(trial.fleet.folder / "demo")),
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(trial.fleet.folder),
            "WINDLASS_TOKEN": trial.fleet.token,
            "WINDLASS_INGEST_URL": trial.fleet.url("ingest"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    async with timeout(SECONDS_MAX):
        output, errors = await process.communicate()
    if not output:
        trial.complaints.append(f"the demo said nothing: {errors.decode()[-2000:]}")
        return
    report = loads(output)
    trial.counts["acts"] = len(report["acts"])
    trial.counts["checks"] = sum(len(act["checks"]) for act in report["acts"])
    trial.complaints += [
        f"act {act['number']}: expected that {check['expected']}, observed: {check['observed']}"
        for act in report["acts"]
        for check in act["checks"]
        if not check["met"]
    ]
    if report["trouble"]:
        trial.complaints.append(f"the demo ended early: {report['trouble']}")
