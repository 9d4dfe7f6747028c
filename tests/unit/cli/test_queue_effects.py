"""What of a server's answer reaches git."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.cli.git_copy import GitCopy, open_copy
from services.cli.queue_effects import QueueEffects, effects
from shared.ids import Commit
from tests.integration.cli.working_copies import ENVIRONMENT, Copy, new_copy
from tests.unit.cli.test_plan_report import plan

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Copy:
    copy = new_copy(tmp_path / "shop")
    copy.commit({"README": "a shop"})
    return copy


def told(shop: Copy, newest: object) -> QueueEffects:
    copy: GitCopy = open_copy(shop.folder, ENVIRONMENT)
    planned = plan().model_copy(update={"commit": Commit(shop.git("rev-parse", "HEAD"))})
    return effects({"newest_revision": 3, "newest_commit": newest}, planned, copy, NOW)


@pytest.mark.parametrize(
    "named", ["HEAD", "main", "--help", "a" * 39, f"{'a' * 40}\n", "A" * 40, "x" * 40, 7, ["HEAD"], {}]
)
def test_only_a_commit_id_that_a_server_names_is_given_to_git(named: object, shop: Copy) -> None:
    found = told(shop, named)
    assert (found.newest_commit, found.contained_in) == ("", None)
    assert found.notes == (
        "The server names no commit of revision 3: whether it has this one already is not known.",
    )


def test_the_commit_that_a_server_names_is_looked_up(shop: Copy) -> None:
    head = shop.git("rev-parse", "HEAD")
    assert (told(shop, head).contained_in, told(shop, head).notes) == (3, ())
    for elsewhere in ("a" * 40, "a" * 64):
        found = told(shop, elsewhere)
        assert (found.newest_commit, found.contained_in) == (elsewhere, None)
        assert "which is not here" in found.notes[0]


def test_a_pipeline_without_revisions_contains_nothing(shop: Copy) -> None:
    copy = open_copy(shop.folder, ENVIRONMENT)
    found = effects({"newest_revision": None, "newest_commit": ""}, plan(), copy, NOW)
    assert (found.revision, found.newest_commit, found.contained_in, found.notes) == (1, "", None, ())
