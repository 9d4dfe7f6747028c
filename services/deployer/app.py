"""The deployer's wiring: its table of contents."""

import asyncio
from collections.abc import Mapping

from services.deployer.adapters.gateway.client import GatewayClient
from services.deployer.adapters.local.host import Host
from services.deployer.adapters.local.succession import Succession
from services.deployer.adapters.local_target import LocalTarget
from services.deployer.handlers import Deployer
from services.deployer.looking_after import LookingAfter
from services.deployer.settings import DeployerSettings
from services.deployer.step_carrier import StepCarrier
from services.deployer.step_order import Action
from services.deployer.step_orders import StepOrders
from services.deployer.step_worker import StepWorker
from shared.artifacts import LocalArtifactStore
from shared.bus import Subscription
from shared.clock import Clock
from shared.db import Database, ServiceDatabase
from shared.events import (
    AlarmChanged,
    ArtifactBuilt,
    ArtifactFailed,
    AttemptClassified,
    OperationRequested,
    RevisionPlanned,
    VerificationFailed,
    VerificationPassed,
    VerificationProbed,
)
from shared.git import GitMirrors
from shared.process import LocalProcesses
from shared.residence import Residence
from shared.service import Service
from shared.settings import passed_through
from shared.timers import Ticker
from shared.work import Worker, Workers


def build(database: Database, settings: DeployerSettings) -> Service:
    """Wire the deployer."""
    db = ServiceDatabase(database, "deployer")
    deployer = Deployer(db, lambda at: ticker.due(at))  # noqa: PLW0108 - the ticker comes after
    ticker = Ticker(database.clock, deployer.resume)
    workers = Workers(db, settings.replica, settings.deployer_slots, settings.share_slots)
    target = local_target(settings, database.clock)
    looking_after = LookingAfter(db, target, Residence(db, settings.data, settings.replaces_folder))

    async def work() -> None:
        async with looking_after.at_home(), asyncio.TaskGroup() as tasks:
            tasks.create_task(workers.run(workers_by_kind(deployer, workers, target.carriers())))
            tasks.create_task(Ticker(database.clock, looking_after.resume).run())

    return Service(subscription(deployer), background=(work, ticker.run))


def local_target(settings: DeployerSettings, clock: Clock) -> LocalTarget:
    """Wire the local target of a data folder."""
    folder = settings.data / "deployer"
    host = Host(
        folder=folder,
        processes=LocalProcesses(),
        gateway=GatewayClient(folder / "gateway", clock),
        artifacts=LocalArtifactStore(settings.data / "artifacts"),
        clock=clock,
        mirrors=GitMirrors(settings.mirrors_folder, passed_through()),
        stable_host=settings.gateway_host,
    )
    return LocalTarget(host, Succession(host))


def subscription(deployer: Deployer) -> Subscription:
    """Return what the deployer hears, and who takes it."""
    return Subscription(
        deployer.db,
        {
            RevisionPlanned: deployer.revision_planned,
            ArtifactBuilt: deployer.artifact_built,
            ArtifactFailed: deployer.artifact_failed,
            VerificationProbed: deployer.verification_probed,
            VerificationPassed: deployer.verification_passed,
            VerificationFailed: deployer.verification_failed,
            AlarmChanged: deployer.alarm_changed,
            AttemptClassified: deployer.attempt_classified,
            OperationRequested: deployer.operation_requested,
        },
        together={RevisionPlanned: deployer.revisions_planned},
    )


def workers_by_kind(
    deployer: Deployer, workers: Workers, carriers: Mapping[str, StepCarrier]
) -> Mapping[str, Worker]:
    """Return the worker of each kind of order."""
    actions: tuple[Action, ...] = ("run", "apply", "switch", "discard")
    orders = StepOrders(deployer.db)
    return {f"step.{each}": StepWorker(deployer, workers, carriers, each, orders) for each in actions}
