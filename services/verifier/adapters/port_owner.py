"""Whose port it is. A fixed one may still be held by the release before, which takes connections as well."""

from dataclasses import replace

from services.verifier.adapters.observer import Observer
from services.verifier.checks import PortCheck
from services.verifier.probe import Answer


async def taken_by_itself(check: PortCheck, answer: Answer, observer: Observer) -> Answer:
    """Return the answer; a fault, where it can be seen that another process took the connection."""
    place = check.target.place
    if answer.fault or place is None or not place.lives:
        return answer
    if await observer.takes_connections(place, check.host, check.port) is not False:
        return answer
    return replace(answer, fault="release", problem=f"another process answers on port {check.port}")
