"""`windlass scan`, as a person or a program runs it."""

import json
from dataclasses import fields
from pathlib import Path

import pytest

from services.cli.app import main
from shared.scan import Caution, LeftOut, Scan, Service

ROOT = Path(__file__).resolve().parents[3]
HOW_TO = ROOT / "docs/howto/scan.md"
SHOP = {
    "package.json": '{"scripts": {"start": "node server.js"}, "dependencies": {"express": "5"}}',
    "package-lock.json": "{}",
    "server.js": "app.listen(process.env.PORT || 3000)\n",
    "compose.yaml": "services:\n  db: {image: postgres}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in SHOP.items():
        (folder / name).write_text(text)
    return folder


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> object:
    monkeypatch.setattr("sys.argv", ["windlass", "scan", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


def test_a_person_reads_what_was_found_by_which_file_and_what_comes_next(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shop)
    assert run(monkeypatch) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop: server, 1 service (4 files looked over).",
        "",
        "shop: server, express on node",
        "  install   npm ci  [package-lock.json]",
        "  start     npm run start  [package.json: scripts.start]",
        "  port      3000 unless PORT says otherwise  [server.js: line 1]",
        "  deploy    LOCAL:SERVICE:DEPLOY",
        "",
        "Left out:",
        "  db [compose.yaml]: a database",
        "",
        "Next: `windlass init` writes a pipeline from this.",
    ]


def test_a_program_reads_json(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(shop), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["version"], found["shape"], found["services"][0]["step"]) == (
        "1",
        "server",
        "LOCAL:SERVICE:DEPLOY",
    )
    evidence = {"fact": "port", "file": "server.js", "at": "line 1", "assumed": False}
    assert evidence in found["services"][0]["evidence"]


def test_nothing_to_deploy_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(tmp_path)) == 1
    assert "nothing that could be deployed" in capsys.readouterr().out
    assert run(monkeypatch, str(tmp_path), "--json") == 1
    assert json.loads(capsys.readouterr().out)["shape"] is None


def test_what_is_no_folder_is_misuse(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, str(shop / "package.json")) == 2
    assert "package.json is no folder." in capsys.readouterr().err


def test_warnings_stand_beside_the_service_they_are_about(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "server.js").write_text("app.listen(3000)\n")
    (shop / "turbo.json").write_text("{")
    (shop / "deno.json").write_text("{")
    run(monkeypatch, str(shop))
    said = capsys.readouterr().out
    reason = "it listens on port 3000 whatever PORT says (server.js: line 1)"
    assert f"deploy    no step of a local target: {reason}\n    read PORT from the environment" in said
    assert said.count(reason) == 1
    assert "warning: deno.json could not be read: it is not JSON (line 1)" in said


def test_a_pipeline_that_is_there_is_not_written_again(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / ".windlass/shop").mkdir(parents=True)
    (shop / ".windlass/shop/pipeline.yaml").write_text("")
    run(monkeypatch, str(shop))
    assert capsys.readouterr().out.splitlines()[-1].startswith("Next: there is a pipeline already")


def test_a_terminal_is_told_nothing_by_a_strangers_names(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (shop / "compose.yaml").write_text('services:\n  "\\e[2Jdb": {image: "postgres\\e[31m"}\n')
    run(monkeypatch, str(shop))
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("kind", [Scan, Service, Caution, LeftOut])
def test_the_how_to_names_every_field_of_the_document(kind: type) -> None:
    text = HOW_TO.read_text(encoding="utf-8")
    assert [field.name for field in fields(kind) if f"`{field.name}`" not in text] == []
