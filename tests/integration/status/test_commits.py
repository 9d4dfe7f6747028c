"""Which deployment shipped a commit, also one of a revision that was superseded or never was one."""

from typing import Any

import pytest

from shared.events import PlanRejected, RevisionSkipped
from tests.builders import named
from tests.integration.replicas import STORES
from tests.integration.status.conftest import Town
from tests.integration.status.questions import get, planned
from tests.unit.status.stories import retold
from tests.unit.status.told import Told

pytestmark = pytest.mark.parametrize("town", STORES, indirect=True)

COMMIT = "4f9a1c0d7be2635f8840a1d2c3b4e5f60718293a"


def skipped(commit: str, contained_in: int | None, pipeline: str = "shop") -> Any:
    push = str(named(f"push of {commit} to {pipeline}"))
    return retold(
        RevisionSkipped.type, pipeline=pipeline, commit=commit, contained_in=contained_in, push=push
    )


async def test_a_superseded_revision_names_the_run_that_shipped_what_it_was(town: Town) -> None:
    """As in a burst: each waiting one gives way to the next, and the last one goes out."""
    last = 90
    told = Told().declared()
    for revision in range(1, last):
        told.queued(revision).superseded(revision, revision + 1)
    told.queued(last).started(last).succeeded(last)
    await town.say(planned(), *(heard.body for heard in told.heard))
    staging, production = (await get(town, "/pipelines/shop/revisions/1"))["shipped"]
    assert (staging["stage"], staging["outcome"], staging["by_revision"]) == (
        "staging",
        "shipped_by_newer",
        last,
    )
    assert staging["by_run"] == str(Told.run_id(last))
    assert (staging["state"], staging["in_place"]) == ("Succeeded", True)
    assert (production["outcome"], production["by_run"]) == ("not_begun", None)


async def test_a_revision_names_its_own_run_or_what_it_waits_for(town: Town) -> None:
    told = Told().declared().queued(1).started(1).succeeded(1).queued(2)
    await town.say(planned(), planned(2), *(heard.body for heard in told.heard))
    first, second = [(await get(town, f"/pipelines/shop/revisions/{n}"))["shipped"][0] for n in (1, 2)]
    assert (first["outcome"], first["by_run"]) == ("shipped", str(Told.run_id(1)))
    assert (second["outcome"], second["wait"]["reason"]) == ("under_way", "lock")


async def test_a_commit_is_found_by_as_much_of_it_as_git_shows(town: Town) -> None:
    await town.say(planned(commit=COMMIT), planned(1, pipeline="tools", commit=COMMIT))
    for sha in (COMMIT, COMMIT[:7], COMMIT[:12].upper()):
        shown = await get(town, f"/pipelines/shop/commits/{sha}")
        assert (shown["commit"], shown["revisions"], shown["revision"]["pipeline"]) == (COMMIT, [1], "shop")
        assert shown["decision"]["decision"] == "planned"
    for sha in (COMMIT[:6], COMMIT + "0" * 30, "not-hexadecimal", "4f9a1c_"):
        await get(town, f"/pipelines/shop/commits/{sha}", 400)


async def test_a_commit_that_was_deployed_again_shows_its_newest_revision(town: Town) -> None:
    await town.say(planned(commit=COMMIT), planned(4, commit=COMMIT))
    shown = await get(town, f"/pipelines/shop/commits/{COMMIT}")
    assert (shown["revisions"], shown["revision"]["revision"]) == ([4, 1], 4)


async def test_a_skipped_commit_is_in_the_revision_that_contains_it(town: Town) -> None:
    await town.say(planned(), planned(2), skipped(COMMIT, 2), skipped(COMMIT, 1, "tools"))
    shown = await get(town, f"/pipelines/shop/commits/{COMMIT[:7]}")
    assert (shown["commit"], shown["revisions"], shown["revision"]["revision"]) == (COMMIT, [2], 2)
    assert shown["decision"]["decision"] == "skipped"


async def test_a_commit_that_is_in_no_revision_says_what_became_of_it(town: Town) -> None:
    await town.say(planned(), skipped(COMMIT, None))
    shown = await get(town, f"/pipelines/shop/commits/{COMMIT}")
    assert (shown["revision"], shown["decision"]["decision"]) == (None, "skipped")
    rejected = "5" * 40
    await town.say(retold(PlanRejected.type, pipeline="shop", commit=rejected))
    shown = await get(town, f"/pipelines/shop/commits/{rejected}")
    assert (shown["revision"], shown["decision"]["decision"]) == (None, "rejected")


async def test_a_commit_that_is_not_known_or_not_clear_is_a_problem_with_a_way_out(town: Town) -> None:
    other = COMMIT[:10] + "f" * 30
    await town.say(planned(commit=COMMIT), planned(2, commit=other))
    problem = await get(town, f"/pipelines/shop/commits/{COMMIT[:8]}", 409)
    assert COMMIT in problem["next"]
    assert other in problem["next"]
    assert (await get(town, f"/pipelines/shop/commits/{'0' * 40}", 404))["next"]
    assert "shop" in (await get(town, f"/pipelines/tools/commits/{COMMIT}", 404))["next"]
