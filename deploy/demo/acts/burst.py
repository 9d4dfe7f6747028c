"""Act 3: five pushes in a burst while a deployment runs."""

import asyncio
from collections.abc import Sequence

from deploy.demo.scene import STAGES, Application, Scene

TITLE = "Five pushes in a burst"
ABOUT = "A migration waits for a lock in the database; meanwhile the developer pushes five times."
PUSHES = 5
SHOWN_SECONDS = 1.0  # for which those who look on see the queue at rest
MIGRATION = "CREATE INDEX greetings_by_text ON greetings (text);\n"
GREETING = '"""What is said to whoever comes by."""\n\nGREETING = "Hello, number {number}"\n'
LOCKED = ("run.started", "run.rolling_back")
UNLOCKED = ("run.succeeded", "run.failed", "run.timed_out", "run.cancelled")


async def play(scene: Scene) -> None:
    """Push one that lasts, push five more, see which are deployed."""
    app, began = scene.greeter, scene.mark()
    lock = app.ledgers["staging"].with_name(f"{app.ledgers['staging'].name}.locked")
    lock.touch()
    try:
        running = await _begin(scene, app)
        revisions = await _burst(scene, app)
        at_work = await scene.api.running_revision(app.name, "staging")
        await asyncio.sleep(SHOWN_SECONDS)
    finally:
        lock.unlink()
    newest = revisions[-1]
    ended = await scene.through(app, running, "staging")
    scene.check(
        f"revision {running} goes on and finishes, undisturbed by the five pushes",
        f"revision {at_work} In Progress after the fifth push; then {running} {ended.body['state']}",
        met=at_work == running,
    )
    await scene.through_all(app, running)
    await scene.through_all(app, newest)
    await _check_superseded(scene, revisions[:-1], newest)
    _check_one_at_a_time(scene)
    await scene.check_answers(app, newest)
    scene.check_watch(began, greeter={running - 1, running, newest})


async def _begin(scene: Scene, app: Application) -> int:
    """Push what lasts and return its revision once it is at work."""
    running = await scene.push(app, "An index", {"migrations/002_index.sql": MIGRATION})
    migration = {"pipeline": app.name, "stage": "staging", "revision": running, "step": "migrate"}
    await scene.story.until(
        lambda: scene.story.first("step.started", **migration), f"the migration of revision {running}"
    )
    return running


async def _burst(scene: Scene, app: Application) -> Sequence[int]:
    pushes = [
        await scene.send(app, f"Greet number {number}", {"app/greeting.py": GREETING.format(number=number)})
        for number in range(1, PUSHES + 1)
    ]
    return [await scene.decision(app, push) for push in pushes]


async def _check_superseded(scene: Scene, between: Sequence[int], newest: int) -> None:
    """Check with the API what became of the revisions in between."""
    names = {revision: await scene.api.superseded_by("greeter", revision) for revision in between}
    scene.check(
        "those in between are superseded, and each names what took its place",
        ", ".join(f"{revision} by {_shown(by)}" for revision, by in names.items()),
        met=all(set(by) == set(STAGES) and all(revision < other <= newest for other in by.values())
                for revision, by in names.items()),
    )  # fmt: skip
    asked = [build for revision in between for build in await scene.api.builds("greeter", revision)]
    built = await scene.api.builds("greeter", newest)
    scene.check(
        "they build nothing; the newest is built and deployed",
        f"{len(asked)} builds for revisions {between[0]} to {between[-1]}, {len(built)} for {newest}",
        met=not asked and [build.answer for build in built] == ["built"],
    )


def _shown(by: dict[str, int]) -> str:
    return "/".join(str(other) for other in dict.fromkeys(by.values())) or "nothing"


def _check_one_at_a_time(scene: Scene) -> None:
    """Check that in no stage two runs held the lock at one time (promise S1)."""
    most = 0
    for stage in STAGES:
        holding: set[str] = set()
        for told in scene.story.events:
            if told.has(pipeline="greeter", stage=stage) and told.type in {*LOCKED, *UNLOCKED}:
                (holding.add if told.type in LOCKED else holding.discard)(told.body["run"])
                most = max(most, len(holding))
    scene.check("one deployment at a time in each stage", f"never more than {most}", met=most == 1)
