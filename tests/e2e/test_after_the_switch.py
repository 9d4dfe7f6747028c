"""What a service comes to once it has its address: watched, it is taken back when it does not last."""

import sys
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.quay import ANSWER_SECONDS_MAX, Document, Quay
from tests.ports import free_port

PIPELINE = """\
version: "1"
pipeline:
  stages: [{name: live}]
  artifacts:
    App:
      type: BUNDLE:BUILD
      params: {file_path: /app}
  steps:
    - name: serve
      type: LOCAL:SERVICE:DEPLOY
      params:
        artifact: App
        command: ["%(python)s", "-I", "-S", server.py]
        port: %(port)d
        grace_seconds: 0.2
        env: {ORDERS: "%(orders)s"}
        verify:
          release: {header: X-Release}
          commands: [{command: ["%(python)s", "-I", "-S", smoke.py]}]
          interval_seconds: 0.05
          soak_seconds: %(soak)s
"""

# Does what stands in a file that the test writes; says by itself which commit it is.
SERVER = """\
import http.server, os, pathlib

ORDERS = pathlib.Path(os.environ["ORDERS"])


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        order = ORDERS.read_text() if ORDERS.exists() else ""
        if order == "%(edition)s die":
            os._exit(3)
        self.send_response({"/": 500 if order == "%(edition)s fail" else 200}.get(self.path, 404))
        self.send_header("X-Release", os.environ["WINDLASS_COMMIT"])
        self.send_header("Content-Length", "0")
        self.end_headers()


print("edition %(edition)s", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
SMOKE = """\
import os, urllib.request

with urllib.request.urlopen(os.environ["URL"]) as answer:
    assert answer.headers["X-Release"] == os.environ["RELEASE"], "another release answers"
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def files(edition: str, orders: Path, port: int, soak: float) -> dict[str, str]:
    values = {"python": sys.executable, "port": port, "orders": orders, "soak": soak}
    return {
        ".windlass/watched/pipeline.yaml": PIPELINE % values,
        "app/server.py": SERVER % {"edition": edition},
        "app/smoke.py": SMOKE,
    }


async def run_of(quay: Quay, revision: int) -> Document:
    shown = await quay.get(f"pipelines/watched/revisions/{revision}")
    return await quay.get(f"runs/{shown['runs'][0]['run']}") if shown["runs"] else {"wait": None}


async def test_a_release_that_does_not_last_is_taken_back_and_one_that_does_is_looked_after(
    quay: Quay, tmp_path: Path
) -> None:
    tenant = await quay.tenant("watched")
    orders, port = tmp_path / "orders", free_port()
    await tenant.push_files(files("one", orders, port, 0.2))
    good = await quay.outcome("watched", 1)
    assert good["state"] == "Succeeded"

    await tenant.push_files(files("two", orders, port, 600))
    soaking = await quay.until(
        partial(run_of, quay, 2),
        lambda run: run["wait"] and run["wait"]["reason"] == "bake",
        ANSWER_SECONDS_MAX,
    )
    assert soaking["state"] == "In Progress"
    assert soaking["wait"]["deadline"] > soaking["wait"]["since"]

    orders.write_text("two fail")
    failed = await quay.outcome("watched", 2)
    assert (failed["state"], failed["rollback"]) == ("Failed", "started")
    assert failed["failure"]["category"] == "health_check_failure"
    assert failed["failure"]["rule"] == "answers_server_error"
    assert failed["failure"]["fix"]["check"]

    async def stage() -> Document:
        return await quay.get("pipelines/watched/stages/live")

    restored = await quay.until(stage, lambda each: not each["running"], ANSWER_SECONDS_MAX)
    assert restored["live"]["revision"] == 1
    assert [hold["revision"] for hold in restored["holds"]] == [2]

    async def health() -> Document:
        return await quay.get("pipelines/watched/stages/live/health")

    await quay.until(
        health,
        lambda told: [each["now"] and each["now"]["health"] for each in told["services"]] == ["healthy"],
        ANSWER_SECONDS_MAX * 3,
    )
