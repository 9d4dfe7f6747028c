"""Requests that make no sense, and what each must be answered with: never a server's error."""

from dataclasses import dataclass
from typing import Any

from tests.e2e.stateful.berth import Berth
from tests.e2e.stateful.port import refusal

NOBODY = "00000000-0000-4000-8000-000000000000"
WHY = {"reason": "why not"}


@dataclass(frozen=True)
class Nonsense:
    """One of them; `%s` is the pipeline's name."""

    name: str
    path: str
    body: Any
    statuses: tuple[int, ...]
    who: str = "operator"
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()

    def send(self, berth: Berth) -> None:
        """Send it; it is refused with a way out."""
        client = getattr(berth.port, self.who)
        path = f"/api/v1/{self.path.replace('%s', berth.pipeline)}"
        raw = {"content": self.body} if isinstance(self.body, bytes) else {"json": self.body}
        headers = {"Content-Type": "application/json", **dict(self.headers)}
        answer = client.request(self.method, path, headers=headers, **raw)
        assert answer.status_code in self.statuses, f"{self.name}: {answer.status_code} {answer.text}"
        refusal(answer)


HERE = "pipelines/%s/stages/staging"
ALL = (
    Nonsense("a stage there is not", "pipelines/%s/stages/moon/cancel", WHY, (404,)),
    Nonsense("the whole pipeline for a stage", "pipelines/%s/stages/*/cancel", WHY, (404,)),
    Nonsense("a pipeline there is not", "pipelines/moon/stages/staging/stop", WHY, (404,)),
    Nonsense("an operation there is not", f"{HERE}/explode", WHY, (404, 405)),
    Nonsense("an operation that a pipeline has not", "pipelines/%s/cancel", WHY, (404, 405)),
    Nonsense("a hostile name", "pipelines/%s/stages/..%2F..%2Fetc%00/stop", WHY, (400, 404)),
    Nonsense("a huge name", f"pipelines/%s/stages/{'x' * 5000}/stop", WHY, (400, 404, 414)),
    Nonsense("no body", f"{HERE}/cancel", b"", (400,)),
    Nonsense("half a body", f"{HERE}/cancel", b'{"reason": "x', (400,)),
    Nonsense("no text", f"{HERE}/cancel", b"\xff\xfe\x00", (400,)),
    Nonsense("half a character", f"{HERE}/cancel", b'{"reason": "\\ud800"}', (400,)),
    Nonsense("a deep body", f"{HERE}/cancel", b"[" * 100_000, (400, 413)),
    Nonsense("a list", f"{HERE}/retry", [], (400,)),
    Nonsense("null", f"{HERE}/retry", None, (400,)),
    Nonsense("no reason", f"{HERE}/stop", {}, (400,)),
    Nonsense("an empty reason", f"{HERE}/stop", {"reason": "  "}, (400,)),
    Nonsense("a huge reason", f"{HERE}/stop", {"reason": "x" * 100_000}, (400, 413)),
    Nonsense("lines for a reason", f"{HERE}/stop", {"reason": "a\nb\x00"}, (400,)),
    Nonsense("a number for a reason", f"{HERE}/stop", {"reason": 7}, (400,)),
    Nonsense("more than is known", f"{HERE}/stop", {**WHY, "force": True}, (400,)),
    Nonsense("no id for a run", f"{HERE}/cancel", {**WHY, "run": "the last"}, (400,)),
    Nonsense("a text for a switch", f"{HERE}/retry", {**WHY, "from_failed_step": "x"}, (400,)),
    Nonsense("revision nought", f"{HERE}/rollback", {**WHY, "revision": 0}, (400,)),
    Nonsense("a huge revision", f"{HERE}/rollback", {**WHY, "revision": 10**30}, (400,)),
    Nonsense("half a revision", f"{HERE}/roll-forward", {**WHY, "revision": 1.5}, (400,)),
    Nonsense("no end of a window", f"{HERE}/override-window", WHY, (400,)),
    Nonsense("hours without end", f"{HERE}/override-window", b'{"reason": "x", "hours": 1e999}', (400,)),
    Nonsense("hours that are none", f"{HERE}/override-window", b'{"reason": "x", "hours": NaN}', (400,)),
    Nonsense("time that goes back", f"{HERE}/override-window", {**WHY, "hours": -1}, (400,)),
    Nonsense("an instant without its offset", f"{HERE}/override-window",
             {**WHY, "until": "2030-01-01T00:00:00"}, (400,)),
    Nonsense("a huge key", f"{HERE}/cancel", WHY, (400,), headers=(("Idempotency-Key", "k" * 5000),)),
    Nonsense("no key", f"{HERE}/cancel", WHY, (400,), headers=(("Idempotency-Key", ""),)),
    Nonsense("a long wait", f"{HERE}/cancel?wait_seconds=1e9", WHY, (400,)),
    Nonsense("no token", f"{HERE}/cancel", WHY, (401,), who="stranger"),
    Nonsense("a monitor's token", f"{HERE}/cancel", WHY, (403,), who="monitor"),
    Nonsense("a wrong token", f"{HERE}/cancel", WHY, (401,), who="stranger",
             headers=(("Authorization", "Bearer nobody"),)),
    Nonsense("no token for an alarm", "alarms/%s-5xx", {"state": "firing"}, (401,), who="stranger"),
    Nonsense("an alarm's state there is not", "alarms/%s-5xx", {"state": "loud"}, (400,), who="monitor"),
    Nonsense("an alarm's huge reason", "alarms/%s-5xx", {"state": "firing", "reason": "x" * 10_000}, (400,),
             who="monitor"),
    Nonsense("a run there is not", f"runs/{NOBODY}", None, (404,), method="GET"),
    Nonsense("an operation nobody asked for", f"operations/{NOBODY}", None, (404,), method="GET"),
    Nonsense("a revision there is not", "pipelines/%s/revisions/999999", None, (404,), method="GET"),
    Nonsense("a cursor there is not", "pipelines/%s/history?cursor=x", None, (400,), method="GET"),
)  # fmt: skip
BY_NAME = {each.name: each for each in ALL}
