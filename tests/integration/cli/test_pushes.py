"""What came of pushes, as an operator sees it; and a folder that none of them ever reached."""

import json
from pathlib import Path

from services.cli.faults import UNREACHABLE
from shared.events import PlanRejected, PushReceived, PushRefused, RevisionSkipped
from tests.builders import named
from tests.integration.cli.conftest import Office
from tests.integration.cli.test_commands import failed, planned
from tests.unit.status.stories import retold


def test_a_piped_status_fills_no_line_with_blanks_and_tells_of_a_rejection_in_one(office: Office) -> None:
    problems = retold(PlanRejected.type).model_dump(mode="json")["problems"]
    office.say(planned(), retold(PlanRejected.type, pipeline="shop", problems=problems[:1] * 18))
    lines = office.windlass("status").out.splitlines()
    assert all(line == line.rstrip() for line in lines)
    (told,) = [line for line in lines if ".windlass/shop/pipeline.yaml:7:5" in line]
    assert told.endswith("; and 17 more: `windlass pushes shop`")


def test_pushes_say_what_came_of_each(office: Office, tmp_path: Path) -> None:
    assert "No push has arrived yet" in office.windlass("pushes").out
    assert failed(office.windlass("pushes", "shop"), 1, "no pipeline 'shop'")
    about = {"repository": "acme/shop", "pipeline": "shop"}
    ids = [str(named(name)) for name in ("one", "two", "three")]
    for push in ids:
        office.say(retold(PushReceived.type, push=push, repository="acme/shop", pipeline=None))
    office.say(
        planned(3, push=ids[0], repository="acme/shop"),
        retold(RevisionSkipped.type, push=ids[1], message="nothing in /app differs", **about),
        retold(PlanRejected.type, push=ids[1], **{**about, "pipeline": "tools"}),
        retold(PushRefused.type, push=ids[2], repository="acme/shop", message="it cannot be read"),
    )
    lines = office.windlass("pushes", "shop").out.splitlines()
    assert [line for line in lines if line.startswith("  ")] == [
        "  refused: it cannot be read",
        "  shop: skipped, nothing in /app differs",
        "  shop: planned as revision 3",
    ]
    document = json.loads(office.windlass("pushes", "--json", "--limit", "2").out)
    assert [push["push"] for push in document["pushes"]] == [ids[2], ids[1]]
    assert "tools: rejected" in office.windlass("pushes").out
    assert office.windlass("pushes", "--limit", "0").code == 2


def test_down_on_a_folder_where_none_has_run_says_so_and_makes_none(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "typo"
    assert failed(
        office.windlass("down", "--data", str(folder)), UNREACHABLE, f"No Windlass has run in {folder}"
    )
    assert not folder.exists()
    assert failed(office.windlass("down"), UNREACHABLE, "No Windlass has run in")
