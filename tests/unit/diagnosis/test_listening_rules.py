"""Services that take no connections where they are asked to: what the target shows, and what banners say."""

import pytest

from shared.diagnosis.evidence import Case
from shared.diagnosis.rules import classify, classify_case
from shared.diagnosis.sample import failed, found, probed
from shared.events import Evidence
from tests.unit.diagnosis.samples import AT, SETTING, STARTUP, evidence, named, start

OUTSIDE = "http://10.0.0.9:8080/health"
FACTS = {
    "localhost, asked from outside": (
        probed("refused", url=OUTSIDE, diagnostics=found("127.0.0.1:8080")),
        "bound_to_localhost",
    ),
    "IPv6 localhost": (probed("refused", url=OUTSIDE, diagnostics=found("[::1]:8080")), "bound_to_localhost"),
    "another port": (
        probed("refused", url=OUTSIDE, diagnostics=found("0.0.0.0:3000")),
        "listens_on_other_port",
    ),
    "another port, and localhost": (
        probed("refused", url=OUTSIDE, diagnostics=found("127.0.0.1:3000")),
        "listens_on_other_port",
    ),
    "the right one by now": (
        probed("refused", url=OUTSIDE, diagnostics=found("0.0.0.0:8080")),
        "nobody_listens",
    ),
    "nothing": (probed("refused", url=OUTSIDE, diagnostics=found()), "nobody_listens"),
    "localhost where it is asked": (
        probed("refused", diagnostics=found("127.0.0.1:41000")),
        "nobody_listens",
    ),
    "IPv6 only where IPv4 is asked": (
        probed("refused", diagnostics=found("[::1]:41000")),
        "bound_to_localhost",
    ),
    "never, and another port": (
        failed("rollout", "", "timeout", diagnostics=found("0.0.0.0:3000")),
        "listens_on_other_port",
    ),
    "never, and nothing": (failed("rollout", "", "timeout", diagnostics=found()), "never_listened"),
    "what is no address": (
        failed("rollout", "", "timeout", diagnostics=found("unix:/run/x.sock")),
        "never_listened",
    ),
    "restarts": (failed("rollout", "", "timeout", diagnostics=found(restarts=4)), "crash_loop"),
    "one restart": (failed("rollout", "", "timeout", diagnostics=found(restarts=1)), "never_listened"),
    "restarts, and why": (
        failed(
            "rollout", "ModuleNotFoundError: No module named 'x'", "timeout", diagnostics=found(restarts=4)
        ),
        "module_missing",
    ),
    "the facts before the banner": (
        failed(
            "rollout", " * Running on http://127.0.0.1:5000", "timeout", diagnostics=found("0.0.0.0:3000")
        ),
        "listens_on_other_port",
    ),
}
BANNERS = {
    "flask": (" * Running on http://127.0.0.1:5000", "bound_to_localhost"),
    "uvicorn": (
        "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
        "bound_to_localhost",
    ),
    "gunicorn": (
        "[2026-03-01 12:00:00 +0000] [7] [INFO] Listening at: http://0.0.0.0:8000 (7)",
        "listens_on_other_port",
    ),
    "express": ("Server listening on http://localhost:3000", "bound_to_localhost"),
    "vite": (
        "  ➜  Local:   http://localhost:5173/\n  ➜  Network: use --host to expose",
        "bound_to_localhost",
    ),
    "next": ("   - Local:        http://localhost:3000", "bound_to_localhost"),
    "aspnet": (
        "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://localhost:5000",
        "bound_to_localhost",
    ),
    "django": ("Starting development server at http://127.0.0.1:8000/", "bound_to_localhost"),
    "its network banner": ("  Network: http://192.168.0.7:5173/", "never_listened"),
    "a queue": ("worker: listening on the queue shop", "never_listened"),
    "a client": ("connected to http://127.0.0.1:9200", "never_listened"),
    "its database's address": ("using postgres at 127.0.0.1:5432", "never_listened"),
}
TAKEN = {
    "python": "OSError: [Errno 98] Address already in use",
    "uvicorn": "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address"
    " already in use",
    "gunicorn": "[2026-03-01 12:00:00 +0000] [7] [ERROR] Connection in use: ('0.0.0.0', 8000)",
    "flask": "Address already in use\nPort 5000 is in use by another program. Either identify and stop"
    " that program",
    "node": "Error: listen EADDRINUSE: address already in use :::3000",
    "go": "2026/03/01 12:00:00 listen tcp :8080: bind: address already in use",
    "rust": 'Error: Os { code: 98, kind: AddrInUse, message: "Address already in use" }',
    "spring": "Web server failed to start. Port 8080 was already in use.",
    "java": 'Exception in thread "main" java.net.BindException: Address already in use',
    "nginx": "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
    "ruby": '/app/x.rb:1:in `initialize\': Address already in use - bind(2) for "::" (Errno::EADDRINUSE)',
    "docker": "docker: Error response from daemon: driver failed programming external connectivity on"
    " endpoint web: "
    "Bind for 0.0.0.0:80 failed: port is already allocated.",
    "aspnet": "Unhandled exception. System.IO.IOException: Failed to bind to address http://[::]:80:"
    " address already in use.",
}
PRIVILEGED = {
    "node": "Error: listen EACCES: permission denied 0.0.0.0:80",
    "go": "2026/03/01 12:00:00 listen tcp :80: bind: permission denied",
    "nginx": "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)",
    "python": "Traceback (most recent call last):\n  File x\n    self.socket.bind(self.server_address)\n"
    "PermissionError: [Errno 13] Permission denied",
}


@pytest.mark.parametrize(("case", "rule"), FACTS.values(), ids=FACTS)
def test_where_it_listens_is_a_fact_of_the_target(case: Case, rule: str) -> None:
    assert classify_case(case, SETTING).rule == rule


@pytest.mark.parametrize(("log", "rule"), BANNERS.values(), ids=BANNERS)
def test_a_banner_counts_where_nothing_answered(log: str, rule: str) -> None:
    assert named(classify(evidence("rollout", log, "timeout"), SETTING)) == (rule, STARTUP)
    assert classify(start(log, 3), SETTING).rule == "ended_before_listening"


@pytest.mark.parametrize("log", TAKEN.values(), ids=TAKEN)
def test_a_port_that_is_taken_is_named_by_every_server(log: str) -> None:
    assert named(classify(start(log), SETTING)) == ("address_in_use", STARTUP)


@pytest.mark.parametrize("log", PRIVILEGED.values(), ids=PRIVILEGED)
def test_a_port_that_is_only_for_the_privileged_is_another_matter(log: str) -> None:
    assert named(classify(start(log), SETTING)) == ("port_privileged", STARTUP)


def test_what_the_service_listens_on_is_shown_as_evidence() -> None:
    case = probed("refused", url=OUTSIDE, diagnostics=found("127.0.0.1:8080", "127.0.0.1:9090"))
    assert (
        "its processes take connections at 127.0.0.1:8080, 127.0.0.1:9090"
        in classify_case(case, SETTING).lines
    )


def test_what_diagnostics_hold_of_the_log_is_read_where_the_evidence_has_none() -> None:
    tail = [{"at": AT, "text": "ModuleNotFoundError: No module named 'x'"}]
    seen = Evidence.model_validate(
        {
            "phase": "rollout",
            "kind": "timeout",
            "message": "m",
            "diagnostics": {"at": AT, "process": "running", "log_tail": tail},
        }
    )
    assert classify(seen, SETTING).rule == "module_missing"
