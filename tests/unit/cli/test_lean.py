"""Modules that are left out while others are loaded."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from services.cli.lean import without

ROOT = Path(__file__).resolve().parents[3]
NAME = "this"  # a module that nothing loads


def test_a_module_that_is_left_out_is_not_found_and_is_there_again_afterwards() -> None:
    sys.modules.pop(NAME, None)
    with without(NAME), pytest.raises(ModuleNotFoundError):
        importlib.import_module(NAME)
    assert NAME not in sys.modules
    assert importlib.util.find_spec(NAME) is not None


def test_a_module_that_is_loaded_already_stays() -> None:
    with without("json"):
        assert importlib.import_module("json") is json
    assert sys.modules["json"] is json


def test_it_is_there_again_after_a_mistake_too() -> None:
    with pytest.raises(KeyError), without(NAME):
        raise KeyError
    assert NAME not in sys.modules


def test_what_is_loaded_leanly_describes_the_same_api() -> None:
    program = (
        "from services.cli.lean import load_leanly; load_leanly()\n"
        "import sys; from deploy.docs.openapi import render; sys.stdout.write(render())"
    )
    python = [sys.executable, "-c", program]
    told = subprocess.run(python, capture_output=True, text=True, check=True, cwd=ROOT)
    assert told.stdout == (ROOT / "docs" / "openapi.json").read_text("utf-8")


def test_what_is_built_later_is_built_in_silence() -> None:
    program = (
        "from services.cli.lean import load_leanly; load_leanly()\n"
        "from deploy.docs.openapi import render; render()"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stderr == ""
