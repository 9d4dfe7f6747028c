"""Modules that are left out while others are loaded."""

import importlib.util
import json
import sys

import pytest

from services.cli.lean import without

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
