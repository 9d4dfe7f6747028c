"""Watching the deployed applications as their users would: every stable URL is asked, over and over."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import httpx

PAUSE_SECONDS = 0.04  # between two requests to one URL: together with three others, 100 a second
ANSWER_SECONDS_MAX = 15.0
PATHS = {"greeter": ("/", "/health"), "brochure": ("/", "/prices.html")}
WORDS = {"greeter": "Hello", "brochure": "A lock at a time"}  # on each front page

_OWN_MARKER = re.compile(r"revision (\d+) of commit ([0-9a-f]{40}) in ([a-z-]+)")


@dataclass(frozen=True, slots=True)
class Address:
    """The stable URL of an application's stage."""

    pipeline: str
    stage: str
    url: str

    def __str__(self) -> str:
        return f"{self.pipeline} in {self.stage}"


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and what came back."""

    at: float  # monotonic
    address: Address
    path: str
    status: int  # 0: none
    revision: int  # as the gateway says in `Windlass-Revision`; 0: it did not
    commit: str  # as the application itself says; empty where it says nothing of it
    seconds: float
    problem: str  # why it is not a correct answer of that revision; empty if it is


@dataclass(slots=True)
class Watch:
    """All answers since it began."""

    http: httpx.AsyncClient
    answers: list[Answer] = field(default_factory=list)
    latest: dict[Address, Answer] = field(default_factory=dict)
    counts: Counter[Address] = field(default_factory=Counter)

    async def ask(self, address: Address, path: str = "/") -> Answer:
        """Ask once."""
        at = time.monotonic()
        try:
            response = await self.http.get(f"{address.url}{path}", timeout=ANSWER_SECONDS_MAX)
        except httpx.HTTPError as failure:
            problem = f"no answer: {failure.__class__.__name__} {failure}".strip()
            return Answer(at, address, path, 0, 0, "", time.monotonic() - at, problem)
        return _judged(at, address, path, response)

    async def keep_asking(self, address: Address) -> None:
        """Ask for ever."""
        paths = PATHS[address.pipeline]
        while True:
            for path in paths:
                answer = await self.ask(address, path)
                self.answers.append(answer)
                self.latest[address] = answer
                self.counts[address] += 1
                await asyncio.sleep(PAUSE_SECONDS)


def fault_in(answers: Sequence[Answer], allowed: Mapping[Address, Collection[int]]) -> str:
    """Return what is wrong with answers, given which revisions may answer where; empty: nothing."""
    wrong = [answer for answer in answers if answer.problem]
    if wrong:
        first = wrong[0]
        return f"{len(wrong)} of {len(answers)} were not; {first.address}, {first.path}: {first.problem}"
    faults = (_fault_at(address, answers, revisions) for address, revisions in allowed.items())
    return next((fault for fault in faults if fault), "")


def _fault_at(address: Address, answers: Sequence[Answer], revisions: Collection[int]) -> str:
    """Return what is wrong with the revisions that one address answered with."""
    mine = [answer.revision for answer in answers if answer.address == address]
    if not mine:
        return f"{address} was not asked"
    if strange := [revision for revision in mine if revision not in revisions]:
        return f"{address} answered as revision {strange[0]}, {len(strange)} times"
    back = next(((before, after) for before, after in pairwise(mine) if after < before), None)
    return f"{address} answered as revision {back[0]}, then as {back[1]}" if back else ""


def _judged(at: float, address: Address, path: str, response: httpx.Response) -> Answer:
    revision = int(response.headers.get("Windlass-Revision", "0"))
    marker = _OWN_MARKER.search(response.text)
    commit = marker[2] if marker else ""
    seconds = time.monotonic() - at
    problem = ""
    if response.status_code != httpx.codes.OK:
        problem = f"status {response.status_code}: {response.text[:200].strip()}"
    elif not revision:
        problem = "it does not say of which revision it is"
    elif marker and (int(marker[1]), marker[3]) != (revision, address.stage):
        problem = f"Windlass says revision {revision}, the application {marker[0]}"
    elif path == "/" and WORDS[address.pipeline] not in response.text:
        problem = f"{WORDS[address.pipeline]!r} is missing in it"
    elif path == "/" and address.pipeline == "greeter" and not marker:
        problem = "the application does not say of which revision it is"
    return Answer(at, address, path, response.status_code, revision, commit, seconds, problem)
