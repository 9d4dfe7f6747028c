"""The running installation that all examples share, seen only over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx

from tests.e2e.program import Program

Document = dict[str, Any]
ANSWER_SECONDS_MAX = 60.0
OPERATOR = "operator"


@dataclass
class Tally:
    """What all examples together did."""

    examples: int = 0
    steps: int = 0
    events: int = 0
    answers: dict[str, int] = field(default_factory=dict)  # "cancel accepted" -> how many
    ends: dict[str, int] = field(default_factory=dict)  # state -> runs

    def add(self, counts: dict[str, int], name: str) -> None:
        counts[name] = counts.get(name, 0) + 1

    def answered(self, answer: str) -> int:
        return sum(number for name, number in self.answers.items() if name.endswith(answer))


@dataclass
class Port:
    """An installation with its operator's client, a monitor's and a stranger's."""

    program: Program
    operator: httpx.Client
    monitor: httpx.Client  # may tell of alarms, and nothing else
    stranger: httpx.Client  # has no token
    tally: Tally = field(default_factory=Tally)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def get(self, path: str, **query: str | int) -> Document:
        """Ask the API for something that is there."""
        answer = self.operator.get(f"/api/v1/{path}", params=query)
        assert answer.status_code == httpx.codes.OK, f"{path}: {answer.status_code} {answer.text}"
        document: Document = answer.json()
        return document


@contextmanager
def opened(program: Program) -> Iterator[Port]:
    """Give clients of a program that runs."""
    token = json.loads((program.data / "client.json").read_text("utf-8"))["token"]
    with _client(program, token) as operator, _client(program) as stranger:
        granted = operator.post("/api/v1/tokens", json={"name": "monitor", "alarm": "*"})
        assert granted.status_code == httpx.codes.CREATED, granted.text
        with _client(program, granted.json()["token"]) as monitor:
            yield Port(program, operator, monitor, stranger)


def _client(program: Program, token: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(
        base_url=program.url, headers=headers, timeout=httpx.Timeout(ANSWER_SECONDS_MAX), trust_env=False
    )


def refusal(answer: httpx.Response) -> Document:
    """Return a problem document: the way out is in it, and nothing of our inside."""
    assert 400 <= answer.status_code < 500, f"{answer.request.url}: {answer.status_code} {answer.text}"
    problem: Document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert problem["status"] == answer.status_code
    assert problem["detail"], answer.text
    assert problem["next"], answer.text
    assert "Traceback" not in answer.text
    return problem
