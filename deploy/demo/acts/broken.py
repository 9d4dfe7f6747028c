"""Act 4: a push that breaks the application."""

from collections.abc import Iterator
from typing import Any

from deploy.demo.scene import ENDINGS, Scene
from deploy.demo.story import Told

TITLE = "A push that breaks it"
ABOUT = "The health check reads a file that nobody packed. It must not reach anybody."
BUILDS = {"build.requested", "artifact.built"}
DIAGNOSIS = ("DEPLOYMENT_VERIFICATION_FAILED", "health_check_failure", "verify")
HEALTH = '''"""Whether this greeter can do its work."""

from pathlib import Path


def check() -> str:
    """Return how it is."""
    return Path("visitors.db").read_text()
'''


async def play(scene: Scene) -> None:
    """Push it and see it diagnosed, put back, and kept from production."""
    app, began = scene.greeter, scene.mark()
    good = await scene.api.live_revision("greeter", "production")
    broken = await scene.push(app, "Count visitors", {"app/health.py": HEALTH})
    here = {"pipeline": app.name, "stage": "staging"}
    failure = await scene.story.until(
        lambda: scene.story.first("run.failed", **here, revision=broken), f"the failure of revision {broken}"
    )
    scene.check(
        f"revision {broken} fails its verification in staging",
        failure.body["evidence"]["message"],
        met=failure.body["evidence"]["phase"] == "verify",
    )
    queued = await scene.story.until(
        lambda: scene.story.first("run.queued", **here, rolls_back=failure.body["run"]), "a rollback"
    )
    await scene.story.until(
        lambda: scene.story.first(*ENDINGS, run=queued.body["run"]),
        f"the end of the rollback from revision {broken}",
    )
    await _check_diagnosis(scene, failure.body["run"])
    _check_rollback(scene, queued, good)
    await _check_hold(scene, broken)
    await _check_production(scene, broken, good)
    await scene.check_answers(app, good)
    scene.check_watch(began, greeter={good})


async def _check_diagnosis(scene: Scene, run: str) -> None:
    """Ask for the diagnosis as anybody would, and show it."""
    await scene.story.until(
        lambda: scene.story.first("failure.classified", run=run), "the diagnosis of the failure"
    )
    diagnosed = await scene.windlass.command("diagnose", "greeter", "staging")
    found = diagnosed["classification"]
    scene.display.command("windlass diagnose greeter staging", *_card(diagnosed))
    scene.check(
        "the failure is diagnosed",
        f"{found['code']}, {found['category']}, by rule {found['rule']}",
        met=(found["code"], found["category"], found["stage"]) == DIAGNOSIS and bool(found["evidence"]),
    )
    said = [line["text"] for line in (diagnosed["diagnostics"] or {}).get("log_tail", ())]
    scene.check(
        "what to do about it is told, with what the program said last",
        f"{len(found['fix'])} lines; {said[-1] if said else 'it said nothing'}",
        met=bool(found["fix"]) and any("visitors.db" in line for line in said),
    )


def _card(diagnosed: dict[str, Any]) -> Iterator[str]:
    """Yield the middle of what the command tells."""
    found = diagnosed["classification"]
    yield found["likely_cause"]
    yield from (f"{each['line'] or '':>4} | {each['text']}" for each in found["evidence"])
    yield from (f"   - {line}" for line in found["fix"])


def _check_rollback(scene: Scene, queued: Told, good: int) -> None:
    ended = scene.story.first(*ENDINGS, run=queued.body["run"])
    assert ended, "it was waited for"
    after = scene.story.events.index(queued)
    builds = [told for told in scene.story.events[after:] if told.type in BUILDS]
    scene.check(
        f"revision {good} is restored from its pinned artifact, without a build",
        f"revision {queued.body['restores']} {ended.body.get('state', ended.type)}, {len(builds)} builds",
        met=queued.body["restores"] == good and ended.type == "run.succeeded" and not builds,
    )


async def _check_hold(scene: Scene, broken: int) -> None:
    holds = await scene.api.holds("greeter", "staging")
    scene.check(
        f"revision {broken} is on hold in staging until a person releases it",
        ", ".join(f"revision {held}" for held in holds) or "no hold",
        met=holds == [broken],
    )


async def _check_production(scene: Scene, broken: int, good: int) -> None:
    started = scene.story.all("run.started", pipeline="greeter", stage="production", revision=broken)
    live = await scene.api.live_revision("greeter", "production")
    scene.check(
        f"production is never touched by revision {broken}",
        f"{len(started)} runs there, revision {live} is live",
        met=not started and live == good,
    )
