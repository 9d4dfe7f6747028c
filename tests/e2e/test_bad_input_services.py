"""What a service gets that cannot run, listen or answer: a verdict in time, and no trace left running."""

import socket
import sys

import httpx
import pytest

from tests.e2e.quay import Document, Quay
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
      timeout_minutes: %(minutes)s
      params:
        artifact: App
        command: ["%(python)s", "-I", "-S", server.py]
        port: %(port)d
        grace_seconds: 0.2
        verify: {paths: [{path: /health}], interval_seconds: 0.05, deadline_seconds: %(deadline)s}
"""

# Answers /health with the body that is filled in, or as the lines before say.
SERVER = """\
import http.server, os, sys, time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        %s
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""
GOOD = SERVER % "pass"
HANGING = SERVER % "time.sleep(1000)"
TRICKLING = SERVER % "[(self.wfile.write(b'x'), self.wfile.flush(), time.sleep(0.1)) for _ in range(9999)]"
FLOODING = SERVER % "[self.wfile.write(b'HTTP/1.1 200 OK\\r\\nX: ' + b'x' * 65536) for _ in range(9999)]"
EXITING = "import sys\nsys.exit('no configuration: DATABASE is not set')\n"
SILENT = "import time\ntime.sleep(1000)\n"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def pushed(server: str, port: int, minutes: float = 1) -> dict[str, str]:
    """Return the files of a service that is to have this stable port."""
    deadline = 30 if server == GOOD else 1.5
    values = {"minutes": minutes, "port": port, "python": sys.executable, "deadline": deadline}
    return {".windlass/%s/pipeline.yaml": PIPELINE % values, "app/server.py": server}


async def run_of(quay: Quay, slug: str, server: str, port: int, minutes: float = 1) -> Document:
    """Deploy a service in a repository of its own; return its run while the healthy one deploys beside it."""
    tenant = await quay.tenant(slug)
    files = {path.replace("%s", slug): text for path, text in pushed(server, port, minutes).items()}
    await tenant.push_files(files)
    await quay.neighbour.deploys()
    return await quay.outcome(slug, 1)


def anyone_listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def test_a_stable_port_that_is_taken_fails_the_step_and_not_its_owner(quay: Quay) -> None:
    with socket.create_server(("127.0.0.1", 0)) as owner:
        port = owner.getsockname()[1]

        run = await run_of(quay, "port-taken", GOOD, port)

        assert run["state"] == "Failed"
        assert f"port {port}, the stable one, cannot be had" in run["evidence"]["message"]
        assert run["failure"]["rule"]
        assert anyone_listens(port)
    tenant_port_is_free_again = not anyone_listens(port)
    assert tenant_port_is_free_again


async def test_the_stable_port_of_another_pipeline_is_not_taken_over(quay: Quay) -> None:
    run = await run_of(quay, "port-thief", GOOD, quay.neighbour.port)

    assert run["state"] == "Failed"
    assert f"port {quay.neighbour.port}, the stable one, cannot be had" in run["evidence"]["message"]


async def test_the_port_of_windlass_itself_is_not_taken_over(quay: Quay) -> None:
    run = await run_of(quay, "port-of-ours", GOOD, quay.program.port)

    assert run["state"] == "Failed"
    assert "cannot be had" in run["evidence"]["message"]
    assert (await quay.stranger.get(f"{quay.program.url}/healthz")).status_code == 200


async def test_a_service_that_exits_at_once_fails_with_its_last_words(quay: Quay) -> None:
    run = await run_of(quay, "exiting", EXITING, free_port())

    assert run["state"] == "Failed"
    assert "the service exited with 1 before it listened" in run["evidence"]["message"]
    assert any("DATABASE is not set" in line["text"] for line in run["evidence"]["log_tail"])
    assert run["failure"]["code"] == "AUTOMATIC_ROLLBACK_NO_CANDIDATE"


async def test_a_service_whose_program_is_not_there_fails_with_its_name(quay: Quay) -> None:
    tenant = await quay.tenant("programless")
    text = PIPELINE % {"minutes": 1, "port": free_port(), "python": "no-such-program", "deadline": 30}
    await tenant.push_files({".windlass/programless/pipeline.yaml": text, "app/server.py": GOOD})

    run = await quay.outcome("programless", 1)

    assert run["state"] == "Failed"
    assert "no-such-program" in run["evidence"]["message"]


async def test_a_service_that_never_listens_is_ended_within_its_time(quay: Quay) -> None:
    port = free_port()

    run = await run_of(quay, "silent", SILENT, port, minutes=0.1)

    assert run["state"] in {"Failed", "Timed Out"}
    assert run["evidence"]["kind"] == "timeout"
    assert "did not listen" in run["evidence"]["message"]
    assert not anyone_listens(port)


@pytest.mark.parametrize("server", [HANGING, TRICKLING, FLOODING], ids=["hangs", "trickles", "floods"])
async def test_a_health_path_that_gives_no_answer_fails_verification_in_time(quay: Quay, server: str) -> None:
    port = free_port()

    run = await run_of(quay, f"unhealthy-{len(server)}", server, port)

    assert run["state"] == "Failed"
    assert run["evidence"]["phase"] == "verify"
    assert "/health" in run["evidence"]["message"]
    assert run["evidence"]["probes"]
    assert not anyone_listens(port)


async def test_a_bad_release_leaves_the_good_one_where_it_is(quay: Quay) -> None:
    port = free_port()
    tenant = await quay.tenant("steady")
    for revision, server in enumerate([GOOD, HANGING, EXITING], start=1):
        files = pushed(server, port)
        await tenant.push_files({path.replace("%s", "steady"): text for path, text in files.items()})
        await quay.outcome("steady", revision)
        answer = await quay.stranger.get(f"http://127.0.0.1:{port}/health")
        assert (answer.status_code, answer.text) == (httpx.codes.OK, "ok")

    stage = await quay.get("pipelines/steady/stages/live")
    assert stage["live"]["revision"] == 1
