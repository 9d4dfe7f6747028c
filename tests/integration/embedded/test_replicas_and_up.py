"""One data folder: either `windlass up` and `windlass down` have it, or the replicas of `windlass serve`."""

from pathlib import Path

import pytest

from services.embedded import app, data_folder
from shared.faults import Refused
from shared.residence import kept_from_up
from shared.web.faults import CannotStart

DEPLOYER = "`windlass serve deployer` (replica vm)"


def test_up_and_down_are_kept_out_for_as_long_as_any_replica_lives_there(tmp_path: Path) -> None:
    with kept_from_up(tmp_path, "`windlass serve builder` (replica a name that is longer)"):
        with kept_from_up(tmp_path, DEPLOYER):
            for verb in (app.up, app.down):
                with pytest.raises(CannotStart, match=r"serve deployer` \(replica vm\) uses .*: end it"):
                    verb(data=tmp_path, port=0)
        with pytest.raises(CannotStart, match="end it first"):
            app.down(data=tmp_path)
    with data_folder.held(tmp_path):
        pass


def test_replicas_are_kept_out_while_up_has_the_folder(tmp_path: Path) -> None:
    with (
        data_folder.held(tmp_path),
        pytest.raises(Refused, match=r"`windlass up` .*\(process [0-9]+\) uses .*WINDLASS_DATA"),
        kept_from_up(tmp_path, DEPLOYER),
    ):
        pass
    with kept_from_up(tmp_path, DEPLOYER):
        pass


def test_a_folder_that_cannot_be_made_is_named_to_a_replica(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be used"), kept_from_up(tmp_path / "file" / "data", DEPLOYER):
        pass
