"""Act 5: the fix, which needs nobody."""

from deploy.demo.scene import Scene

TITLE = "The fix"
ABOUT = "The health check bears with a missing file. Nobody releases, approves or retries anything."
HEALTH = '''"""Whether this greeter can do its work."""

from pathlib import Path

VISITORS = Path("visitors.db")


def check() -> str:
    """Return how it is."""
    visitors = VISITORS.read_text() if VISITORS.exists() else "none yet"
    return f"ok, visitors: {visitors}"
'''


async def play(scene: Scene) -> None:
    """Push it and see it come through."""
    app, began = scene.greeter, scene.mark()
    before = await scene.api.live_revision("greeter", "production")
    fix = await scene.push(app, "Count visitors, from none", {"app/health.py": HEALTH})
    await scene.through_all(app, fix)
    asked = scene.story.all("operation.requested")
    scene.check(
        f"revision {fix} goes out by itself, past the one on hold",
        f"Succeeded in staging and production, {len(asked)} operations asked for",
        met=not asked,
    )
    await scene.check_answers(app, fix)
    scene.check_watch(began, greeter={before, fix})
    _check_migrations(scene)
    letters = await scene.api.dead_letters()
    scene.check("nothing died inside Windlass", f"{len(letters)} dead letters", met=not letters)


def _check_migrations(scene: Scene) -> None:
    wanted = ["applied 001_greetings.sql", "applied 002_index.sql"]
    lines = [ledger.read_text("utf-8").splitlines() for ledger in scene.greeter.ledgers.values()]
    scene.check(
        "through all of this, each migration took effect once in each stage",
        f"its ledgers have {' and '.join(str(len(each)) for each in lines)} lines",
        met=all(each == wanted for each in lines),
    )
