"""Once the rules are loaded, naming a failure loads and compiles nothing more."""

import subprocess
import sys

PROGRAM = """
import builtins, re
from shared.diagnosis.loading import load
assert sum(1 for _ in load()) > 200  # a little at a time

def refuse(*_: object, **__: object) -> None:
    raise AssertionError("it was not ready")

from shared.diagnosis.rules import classify_log
re.compile = refuse
builtins.__import__ = refuse
print(classify_log("npm ERR! code ENOTFOUND").answer.code)
"""


def test_what_is_loaded_needs_nothing_more_at_its_first_failure() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    assert ran.stdout == "INFRASTRUCTURE_NETWORK_FAILURE\n"


def test_what_is_not_loaded_needs_more() -> None:
    without = PROGRAM.replace("assert sum(1 for _ in load()) > 200", "load()")
    ran = subprocess.run([sys.executable, "-c", without], check=False, capture_output=True, text=True)
    assert "it was not ready" in ran.stderr
