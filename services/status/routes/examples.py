"""Examples of what the API answers with, for its description: each leaves out what would be empty."""

from typing import Any

RUN_ID = "4cd5add8-9dd3-59c1-995d-dbd47cb574c0"
REVISION: dict[str, Any] = {"pipeline": "shop", "revision": 42}
COMMIT = "7855a400c5a1b0d8f6e2934b7c1d0e9f8a7b6c5d"
PLAN_HASH = "b5c4d784081e72da25d2300633bd94155c2992e79ea327f26f5932fb8cd5a693"
QUEUED_AT, STARTED_AT, ASKED_AT = "2026-03-02T09:30:00Z", "2026-03-02T09:30:01Z", "2026-03-02T09:32:10Z"
WAIT = {
    "reason": "approval",
    "blocked_by": "step 'Smoke' failed: 2 of 119 tests",
    "released_by": "somebody who approves or rejects it",
    "since": ASKED_AT,
    "deadline": "2026-03-09T09:32:10Z",
}
TESTS = {
    "exit_code": 1,
    "passed": 117,
    "failed": 2,
    "skipped": 1,
    "failures": [{"name": "checkout > total", "message": "expected 30.00, got 29.99"}],
}
GATE = {
    "wait": WAIT,
    "needed": 1,
    "given": 0,
    "approvers": [],
    "deadline": "2026-03-09T09:32:10Z",
    "shown": "5b0f3f5e8c1d2a47",
    "plan_hash": PLAN_HASH,
    "artifacts": {"web": "sha256:2f7c3e1d0a8f6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b9b"},
    "tests": TESTS,
}
STEPS = [
    {
        "step": "migrate",
        "name": "Migrate",
        "type": "SCRIPT:EXECUTE",
        "goes_after": [],
        "state": "Succeeded",
        "since": "2026-03-02T09:31:30Z",
        "attempt": 1,
        "log": f"{RUN_ID}/migrate/1",
        "started_at": STARTED_AT,
        "finished_at": "2026-03-02T09:31:30Z",
        "duration_seconds": 89.0,
        "running_seconds": 89.0,
        "outputs": {"schema": "42"},
    },
    {
        "step": "smoke",
        "name": "Smoke",
        "type": "APPROVAL:TEST",
        "goes_after": ["migrate"],
        "state": "Waiting",
        "since": ASKED_AT,
        "attempt": 1,
        "log": f"{RUN_ID}/smoke/1",
        "started_at": "2026-03-02T09:31:30Z",
        "running_seconds": 40.0,
        "tests": TESTS,
        "gate": GATE,
    },
]
RUN = {
    "run": RUN_ID,
    **REVISION,
    "stage": "staging",
    "kind": "deploy",
    "commit": COMMIT,
    "plan_hash": PLAN_HASH,
    "state": "In Progress",
    "queued_at": QUEUED_AT,
    "started_at": STARTED_AT,
    "deadline": "2026-03-02T10:30:01Z",
    "queued_seconds": 1.0,
    "wait": WAIT,
    "waits": [{"wait": WAIT, "until": None, "seconds": None}],
    "steps": STEPS,
    "timeline": [
        {"at": QUEUED_AT, "what": "run.queued", "text": "Queued"},
        {"at": STARTED_AT, "what": "run.started", "text": "In Progress: holds the stage"},
        {
            "at": ASKED_AT,
            "what": "step.tested",
            "text": "Step smoke: 2 of 119 tests failed, 1 skipped",
            "step": "smoke",
        },
    ],
    "title": "Round prices",
    "artifacts": [],
}
SLOT = {"run": RUN_ID, "revision": 42, "kind": "deploy", "commit": COMMIT}
HELD = {
    "stage": "staging",
    "mode": "DESTRUCTIVE_CHANGES_ONLY",
    "changes": ["step Go live is taken out in stage production"],
    "further": 0,
    "plan_hash": PLAN_HASH,
    "shown": "0c1d2a475b0f3f5e",
    "since": "2026-03-02T09:33:00Z",
}
BEHIND = {
    **SLOT,
    "run": "8bee8ee7-234f-51b9-9cdf-55ae0d317cb1",
    "revision": 43,
    "state": "Not Started",
    "since": "2026-03-02T09:33:00Z",
    "definition": HELD,
}
CHANGED = {
    "health": "healthy",
    "since": "2026-03-01T11:02:07Z",
    "reason": "2 looks in a row were good, the last in 0.012 s",
    "run": "1b2cdf55-0a3e-5c1d-8f6e-7d6c5b4a3f2e",
    "revision": 41,
}
HEALTHY = {
    "service": "web",
    **CHANGED,
    "looked_at": "2026-03-02T09:30:21Z",
    "known_for_seconds": 390.0,
}
HEALTH = {
    "pipeline": "shop",
    "stage": "staging",
    "status": "running",
    "resolution": "5m",
    "services": [
        {
            "service": "web",
            "now": HEALTHY,
            "ended_at": None,
            "changes": [{**CHANGED, "before": "unknown"}],
            "changes_left_out": 0,
            "history": [
                {
                    "begins_at": "2026-03-02T09:25:00Z",
                    "seconds": 300.0,
                    "looks": 10,
                    "good": 9,
                    "slow": 1,
                    "bad": 0,
                    "silent": 0,
                    "latency_seconds": 0.114,
                    "latency_seconds_max": 1.02,
                    "worst": "healthy",
                }
            ],
        }
    ],
    "next": None,
}
VERIFICATION = {
    "verification": "0b845026-b8e6-5b14-8246-303ff386941e",
    "run": RUN_ID,
    **REVISION,
    "stage": "staging",
    "step": "",
    "asked_at": "2026-03-02T09:41:00Z",
    "rounds_made": 2,
    "rounds_good": 1,
    "soak_seconds": 120.0,
    "soak": "not_begun",
    "last_round": 2,
    "last_round_at": "2026-03-02T09:41:02Z",
    "counted_since": "2026-03-02T09:41:00Z",
    "urls": ["http://127.0.0.1:8081/"],
    "rounds": [
        {
            "number": 1,
            "at": "2026-03-02T09:41:00Z",
            "probes": [
                {
                    "at": "2026-03-02T09:41:00Z",
                    "url": "http://127.0.0.1:8081/health",
                    "service": "web",
                    "passed": False,
                    "status": 503,
                    "latency_seconds": 0.012,
                    "fault": "status",
                    "problem": "answered 503 instead of 2xx/3xx",
                }
            ],
        },
        {
            "number": 2,
            "at": "2026-03-02T09:41:02Z",
            "probes": [
                {
                    "at": "2026-03-02T09:41:02Z",
                    "url": "http://127.0.0.1:8081/health",
                    "service": "web",
                    "passed": True,
                    "status": 200,
                    "latency_seconds": 0.009,
                }
            ],
        },
    ],
}
STAGE = {
    "pipeline": "shop",
    "stage": "staging",
    "target": "local",
    "queue": "newest",
    "status": "deploying",
    "running": {
        **SLOT,
        "state": "In Progress",
        "since": STARTED_AT,
        "wait": WAIT,
        "gates": [{"step": "smoke", "step_type": "APPROVAL:TEST", "gate": GATE}],
    },
    "waiting": [BEHIND],
    "health": [HEALTHY],
    "holds": [{"revision": 39, "reason": "revision 39 was rolled back from", "since": QUEUED_AT}],
    "approvals": [
        {
            "of": "gate",
            "run": RUN_ID,
            "revision": 42,
            "text": "Revision 42 waits for an approval: step 'Smoke' failed: 2 of 119 tests; released by "
            "somebody who approves or rejects it.",
            "step": "smoke",
            "shown": GATE["shown"],
            "needed": 1,
            "given": 0,
            "since": ASKED_AT,
            "gate": GATE,
        },
        {
            "of": "definition",
            "run": BEHIND["run"],
            "revision": 43,
            "text": "Revision 43 waits for somebody to approve 1 change of the pipeline file.",
            "shown": HELD["shown"],
            "needed": 1,
            "given": 0,
            "since": HELD["since"],
            "definition": HELD,
        },
    ],
    "why": [
        {
            "about": "running",
            "text": "Revision 42 is In Progress here and waits for an approval: step 'Smoke' failed: 2 of "
            "119 tests; released by somebody who approves or rejects it.",
            "since": ASKED_AT,
            "details": ["2 of 119 tests failed, 1 skipped.", "checkout > total: expected 30.00, got 29.99"],
        }
    ],
}
OPERATION = {
    "operation": "848f474d-9378-4879-9dc8-17fb9ee5e1cb",
    "kind": "approve",
    "pipeline": "shop",
    "stage": "staging",
    "run": RUN_ID,
    "actor": "grace",
    "reason": "known, and harmless",
    "asked_at": "2026-03-02T09:40:00Z",
    "shown": GATE["shown"],
    "step": "smoke",
    "answer": "accepted",
    "answered_at": "2026-03-02T09:40:00.020Z",
    "message": "step 'Smoke' is approved; the run goes on",
}
SHIPMENT = {
    "stage": "staging",
    "outcome": "shipped_by_newer",
    "text": "Revision 43, which took its place, brought it to staging.",
    "by_run": BEHIND["run"],
    "by_revision": 43,
    "state": "Succeeded",
    "at": "2026-03-02T09:45:00Z",
    "in_place": True,
}
REVISION_SHOWN = {
    **REVISION,
    "repository": "acme/shop",
    "branch": "main",
    "commit": COMMIT,
    "title": "Round prices",
    "author": "ada",
    "pusher": "ada",
    "trigger": "webhook",
    "push": "0b54a6a5-3f4e-5b4e-8d0e-2a2f3a5b9c11",
    "plan_hash": PLAN_HASH,
    "received_at": QUEUED_AT,
    "planned_at": QUEUED_AT,
    "artifacts": [],
    "stages": [{"name": "staging", "target": "local", "steps": []}],
    "runs": [],
    "shipped": [SHIPMENT],
    "definition": None,
    "builds": [],
    "logs": [],
    "live_in": [],
    "superseded_by": 43,
    "over": True,
}


def answers(example: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """Return the responses of a route that answers like that."""
    return {200: {"content": {"application/json": {"example": example}}}}
