"""Act 4: a push that breaks the application."""

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
    await scene.story.until(
        lambda: scene.story.first("failure.classified", run=run), "the diagnosis of the failure"
    )
    found = await scene.api.diagnosis(run)
    scene.check(
        "the failure is diagnosed",
        f"{found['code']}, {found['category']}, by rule {found['rule']}: {found['likely_cause']}",
        met=(found["code"], found["category"], found["failure_stage"]) == DIAGNOSIS,
    )


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
