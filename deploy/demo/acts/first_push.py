"""Act 1: a first push of each application."""

import asyncio

from deploy.demo.scene import STAGES, Application, Scene

TITLE = "A first push"
ABOUT = "Two new repositories are pushed: planned, built once, verified, promoted from staging to production."


async def play(scene: Scene) -> None:
    """Push both and see them come through."""
    await asyncio.gather(*(_come_through(scene, each) for each in scene.applications.values()))
    for application in scene.applications.values():
        await _check(scene, application)
    _check_migrations(scene)


async def _come_through(scene: Scene, application: Application) -> None:
    revision = await scene.push(application, "The first version", {})
    await scene.through_all(application, revision)


async def _check(scene: Scene, application: Application) -> None:
    name = application.name
    planned = scene.story.all("revision.planned", pipeline=name)
    scene.check(
        f"{name}'s push becomes revision 1, exactly once",
        ", ".join(f"revision {told.body['revision']}" for told in planned),
        met=[told.body["revision"] for told in planned] == [1],
    )
    builds = await scene.api.builds(name, 1)
    scene.check(
        f"{name} is built once, for both stages",
        ", ".join(f"{build.shown} in {build.seconds:.2f} s" for build in builds),
        met=[build.answer for build in builds] == ["built"],
    )
    _check_order(scene, name)
    await scene.check_answers(application, 1)


def _check_order(scene: Scene, name: str) -> None:
    """Check that nothing was promoted before it was verified."""
    received = scene.story.all("push.received", repository=name)[0].time
    staging, production = (
        scene.story.all("verification.passed", pipeline=name, stage=stage) for stage in STAGES
    )
    began = scene.story.all("run.started", pipeline=name, stage="production")
    moments = [staging[-1].time, began[0].time, production[0].time]
    after = [(moment - received).total_seconds() for moment in moments]
    scene.check(
        f"{name} is verified in staging, and only then promoted",
        "verified after {:.2f} s, promoted after {:.2f} s, verified again after {:.2f} s".format(*after),
        met=moments == sorted(moments),
    )


def _check_migrations(scene: Scene) -> None:
    """Check by the file that the migration writes that it took effect once a stage."""
    lines = [ledger.read_text("utf-8").splitlines() for ledger in scene.greeter.ledgers.values()]
    scene.check(
        "greeter's migration takes effect once in each stage",
        f"its ledgers have {' and '.join(str(len(each)) for each in lines)} line",
        met=all(each == ["applied 001_greetings.sql"] for each in lines),
    )
