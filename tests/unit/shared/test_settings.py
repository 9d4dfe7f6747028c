from pathlib import Path

import pytest
from pydantic import Field

from shared.faults import Refused
from shared.settings import Settings


class CanalSettings(Settings):
    locks: int = Field(default=3, ge=1)
    width: float = 4.5


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_is_given_comes_before_the_environment_and_that_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "windlass.toml").write_text("locks = 4\nwidth = 5.5", "utf-8")
    monkeypatch.setenv("WINDLASS_LOCKS", "7")

    assert (CanalSettings.read().locks, CanalSettings.read().width) == (7, 5.5)
    assert CanalSettings.read(locks=9).locks == 9


def test_every_setting_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINDLASS_LOCKS", "0")
    monkeypatch.setenv("WINDLASS_WIDTH", "w" * 1_000)

    with pytest.raises(Refused) as refused:
        CanalSettings.read()

    told = str(refused.value)
    assert "the setting locks (WINDLASS_LOCKS) cannot be '0'" in told
    assert "the setting width (WINDLASS_WIDTH) cannot be 'www" in told
    assert len(told) < 500


@pytest.mark.parametrize("content", [b"locks = [", b"\xff\xfe", b"locks"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "windlass.toml").write_bytes(content)

    with pytest.raises(Refused, match=r"windlass\.toml cannot be read"):
        CanalSettings.read()
