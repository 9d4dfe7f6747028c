"""Evidence and answers as the tables of the classifier's tests write them."""

from datetime import UTC, datetime
from typing import Any

from shared.diagnosis.evidence import Setting
from shared.diagnosis.rules import Classification
from shared.events import Evidence, LogLine

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
SETTING = Setting("shop", "staging", "7")

BUILD = ("build", "build_failure", "CODEBUILD_DOCKER_IMAGE_BUILD_FAILED")
STARTUP = ("rollout", "startup_failure", "DEPLOYMENT_VERIFICATION_FAILED")
HEALTH = ("verify", "health_check_failure", "DEPLOYMENT_VERIFICATION_FAILED")
ACCESS = ("auth", "auth_failure", "AUTHENTICATION_FAILED")
DEPLOY = ("deploy", "unknown_failure", "DEPLOYMENT_FAILED_GENERIC")


def network(stage: str) -> tuple[str, str, str]:
    return (stage, "infrastructure_failure", "INFRASTRUCTURE_NETWORK_FAILURE")


def host(stage: str) -> tuple[str, str, str]:
    return (stage, "infrastructure_failure", "DEPLOYMENT_FAILED_GENERIC")


def evidence(phase: str, log: str = "", kind: str = "process", **facts: Any) -> Evidence:
    tail = tuple(LogLine(at=AT, text=text) for text in log.splitlines())
    stated = {"phase": phase, "kind": kind, "message": "it did not work", "log_tail": tail, **facts}
    return Evidence.model_validate(stated)


def named(found: Classification) -> tuple[str, tuple[str, str, str]]:
    return found.rule, (found.answer.stage, found.answer.category, found.answer.code)


def start(log: str = "", code: int | None = 1, **facts: Any) -> Evidence:
    return evidence("rollout", log, exit_code=code, **facts)


def build(log: str = "", code: int | None = 1, **facts: Any) -> Evidence:
    return evidence("build", log, exit_code=code, **facts)


PYTHON_TRACE = """\
Traceback (most recent call last):
  File "/srv/app.py", line 3, in <module>
    import flask
ModuleNotFoundError: No module named 'flask'"""
ENVIRON_TRACE = """\
Traceback (most recent call last):
  File "/srv/app.py", line 9, in <module>
    url = os.environ["DATABASE_URL"]
  File "<frozen os>", line 679, in __getitem__
KeyError: 'DATABASE_URL'"""
NODE_MISSING = """\
node:internal/modules/cjs/loader:1137
  throw err;
  ^

Error: Cannot find module 'express'
Require stack:"""
PIP_OFFLINE = """\
WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by 'NewConnectionError'
WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError'
ERROR: Could not find a version that satisfies the requirement flask (from versions: none)
ERROR: No matching distribution found for flask"""
PYTEST_FAILED = """\
E   requests.exceptions.ConnectionError: connection refused
curl: (7) Failed to connect to api.example port 443
npm ERR! code ECONNRESET
=========== 1 failed, 12 passed in 3.21s ==========="""
NPM_GOT_OVER = """\
npm error code ECONNRESET
npm error network read ECONNRESET
added 212 packages in 9s
src/app.ts(3,1): error TS2304: Cannot find name 'x'."""
