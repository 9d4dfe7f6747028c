"""Giving releases addresses: a candidate's own for verification, and the stable one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from services.deployer.adapters.gateway.route import LOOPBACK, Kind, Route
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.ports import noted, port_of
from services.deployer.adapters.local.release import Release
from services.deployer.step_order import StepOrder
from shared.crash import point
from shared.events import LocalPlace, ProbeTarget
from shared.faults import TryAgain
from shared.plan import Criteria

EVERY_HOST = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
CANDIDATE_PORTS_MAX = 5  # tried before somebody is believed to take them on purpose


@dataclass(frozen=True, slots=True)
class Taken:
    """Where the stable address is, or why the release did not get it."""

    url: str
    problem: str = ""


def template(order: StepOrder, kind: Kind, upstream_port: int = 0, root: str = "") -> Route:
    """Return a route to the order's release that has no address yet."""
    return Route(
        name="",
        port=0,
        kind=kind,
        release=order.release,
        revision=order.revision,
        commit=order.commit,
        upstream_port=upstream_port,
        root=root,
    )


def probe_target(order: StepOrder, release: Release, criteria: Criteria) -> ProbeTarget:
    """Return how a candidate that was shown is verified."""
    return ProbeTarget(
        service=order.step.id,
        base_url=f"http://{LOOPBACK}:{noted(release.port_file) or 0}",
        criteria=criteria,
        release=order.release,
        commit=order.commit,
        place=LocalPlace(
            lives=str(release.lives_folder.absolute()) if release.lives() else "",
            files=str(release.files.absolute()),
        ),
    )


async def show_candidate(host: Host, place: Place, release: Release, route: Route) -> None:
    """Make a candidate reachable on a port of its own. Under the place's lock.

    It is reached through the gateway, as it will be, so that its answers carry its release.
    """
    name = _candidate(place, release)
    for _ in range(CANDIDATE_PORTS_MAX):
        port = await port_of(host, release.port_file)
        host.gateway.set_route(replace(route, name=name, port=port, folder=release.name))
        state = await host.gateway.sync()
        if state.routes[name].listening:
            point("deployer.candidate.shown")
            return
        release.port_file.unlink(missing_ok=True)  # taken since it was chosen
    host.gateway.remove_route(name)
    raise TryAgain(f"no port could be had for the candidate of {place.name}")


async def hide_candidate(host: Host, place: Place, release: Release) -> None:
    """Take a candidate's own address away."""
    names = {_candidate(place, release), _trial(place)} & set(host.gateway.routes())
    for name in names:
        host.gateway.remove_route(name)
    if names:
        await host.gateway.sync()


def was_taken_over(host: Host, place: Place, release: Release) -> str:
    """Return the stable URL if the release has it, or had it and was replaced since; else nothing."""
    route = host.gateway.route(place.name)
    if route is None:
        return ""
    had_it = release.name in {route.folder, route.replaces} or release.has("retired")
    return _url(route) if had_it else ""


async def take_over(
    host: Host, place: Place, release: Release, route: Route, port_wanted: int | None
) -> Taken:
    """Give the release the stable address. Under the place's lock.

    The route is replaced only once its port is ours: a port that is taken costs nobody anything.
    """
    port = port_wanted or await port_of(host, place.port_file)
    before = host.gateway.route(place.name)
    stable = replace(
        route,
        name=place.name,
        host=host.stable_host,
        port=port,
        folder=release.name,
        replaces=before.folder if before else "",
    )
    if problem := await _try(host, place, stable, before):
        return Taken(_url(stable), f"port {port}, the stable one, cannot be had: {problem}")
    point("deployer.switch.port_held")
    host.gateway.set_route(stable)
    host.gateway.remove_route(_candidate(place, release))
    point("deployer.switch.route_written")
    await host.gateway.sync()
    point("deployer.switch.route_in_force")
    return Taken(_url(stable))


async def _try(host: Host, place: Place, stable: Route, before: Route | None) -> str:
    """Listen on the stable port, if that is not being done; return why it is impossible."""
    if before and before.address == stable.address:
        return (await host.gateway.sync()).routes[place.name].problem
    trial = replace(stable, name=_trial(place))
    host.gateway.set_route(trial)
    problem = (await host.gateway.sync()).routes[trial.name].problem
    host.gateway.remove_route(trial.name)
    if problem:
        await host.gateway.sync()
    return problem  # without a `sync` the port stays ours until the route proper has it


def stray_routes(host: Host, place: Place) -> Sequence[str]:
    """Return the routes that a killed life left behind: trials, and candidates that are none any more."""
    found = []
    for name, route in host.gateway.routes().items():
        release = Release(place.releases / route.folder)
        over = not release.folder.exists() or release.has("switched") or release.has("discarded")
        if name == _trial(place) or (name == _candidate(place, release) and over):
            found.append(name)
    return found


def _url(route: Route) -> str:
    """Return where people on this machine find a stable address."""
    return f"http://{LOOPBACK if route.host in EVERY_HOST else route.host}:{route.port}"


def _candidate(place: Place, release: Release) -> str:
    return f"{place.name}+{release.name}"


def _trial(place: Place) -> str:
    return f"{place.name}+next"
