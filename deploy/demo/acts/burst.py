"""Act 3: five pushes in a burst while a deployment runs."""

from deploy.demo.scene import STAGES, Scene

TITLE = "Five pushes in a burst"
ABOUT = "A migration takes a while; meanwhile the developer pushes five times."
PUSHES = 5
MIGRATION_SECONDS = 1.5  # in which five pushes must be told of; that takes a tenth of a second
MIGRATION = f"-- takes {MIGRATION_SECONDS} s\nCREATE INDEX greetings_by_text ON greetings (text);\n"
GREETING = '"""What is said to whoever comes by."""\n\nGREETING = "Hello, number {number}"\n'
LOCKED = ("run.started", "run.rolling_back")
UNLOCKED = ("run.succeeded", "run.failed", "run.timed_out", "run.cancelled")


async def play(scene: Scene) -> None:
    """Push one that lasts, push five more, see which are deployed."""
    app, began = scene.greeter, scene.mark()
    running = await scene.push(app, "An index", {"migrations/002_index.sql": MIGRATION})

    migration = {"pipeline": app.name, "stage": "staging", "revision": running, "step": "migrate"}
    await scene.story.until(
        lambda: scene.story.first("step.started", **migration), f"the migration of revision {running}"
    )
    pushes = [
        await scene.send(app, f"Greet number {number}", {"app/greeting.py": GREETING.format(number=number)})
        for number in range(1, PUSHES + 1)
    ]
    revisions = [await scene.decision(app, push) for push in pushes]
    newest = revisions[-1]
    await scene.through_all(app, running)
    await scene.through_all(app, newest)
    _check_running(scene, running, newest)
    await _check_superseded(scene, revisions[:-1], newest)
    _check_one_at_a_time(scene)
    await scene.check_answers(app, newest)
    scene.check_watch(began, greeter={running - 1, running, newest})


def _check_running(scene: Scene, running: int, newest: int) -> None:
    here = {"pipeline": "greeter", "stage": "staging"}
    ended = scene.story.first("run.succeeded", **here, revision=running)
    planned = scene.story.first("revision.planned", pipeline="greeter", revision=newest)
    assert ended is not None, "it was waited for"
    assert planned is not None, "it was waited for"
    in_between = planned.time < ended.time
    scene.check(
        f"revision {running} goes on and finishes, undisturbed by the five pushes",
        f"{ended.body['state']}, {'after' if in_between else 'before'} the fifth push",
        met=in_between,
    )


async def _check_superseded(scene: Scene, between: list[int], newest: int) -> None:
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
