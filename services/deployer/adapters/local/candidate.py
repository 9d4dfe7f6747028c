"""Releases that have not been given their address: taking one away, and finding those left behind."""

from collections.abc import Sequence

from services.deployer.adapters.local import address
from services.deployer.adapters.local.host import Host, Place
from services.deployer.adapters.local.release import Mark, Release, releases_in
from shared.crash import point

OVER: tuple[Mark, ...] = ("retired", "ended", "discarded")


async def take_away(host: Host, place: Place, release: Release) -> None:
    """End a candidate's processes and its address; one that is live, or has been, stays as it is.

    Under the lock nobody is just starting one of its processes, and with the mark nobody ever will.
    """
    async with host.lock(place):
        if address.was_taken_over(host, place, release) or place.tombstone(release.name).exists():
            return
        release.put("discarded")
        for life in release.lives():
            await host.processes.stop(life.process)
        point("deployer.candidate.stopped")
        await address.hide_candidate(host, place, release)


def candidates(host: Host, place: Place) -> Sequence[Release]:
    """Return the releases that may yet be given the address, if somebody is still about them."""
    route = host.gateway.route(place.name)
    had_it = {route.folder, route.replaces} if route else set()
    found = (release for release in releases_in(place) if release.name not in had_it)
    return [release for release in found if not any(release.has(mark) for mark in OVER)]
