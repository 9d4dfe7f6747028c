"""The list of commands, and the commands behind it."""

import inspect

import pytest
import typer

from services.cli.command_line import app
from services.cli.contents import CONTENTS, Entry
from services.cli.on_demand import group_of, load

PLACE_OF_HELP = 19  # columns before a line of help in the list
COLUMNS = 78  # of a page of help: further words go to a second line


@pytest.mark.parametrize("name", CONTENTS)
def test_each_entry_leads_to_a_command_that_explains_itself(name: str) -> None:
    command = load(name, CONTENTS[name])
    assert command.help
    for each in getattr(command, "commands", {}).values():
        assert each.help


@pytest.mark.parametrize("name", CONTENTS)
def test_each_command_has_one_line_in_the_list(name: str) -> None:
    assert 20 < len(CONTENTS[name].help) <= COLUMNS - PLACE_OF_HELP
    assert len(name) <= PLACE_OF_HELP - 4
    assert not CONTENTS[name].help.endswith(".")


def windlass(*words: str) -> int:
    """Run the command line and return its exit code."""
    with pytest.raises(SystemExit) as end:
        app(words, prog_name="windlass")
    return int(end.value.code or 0)


def test_the_list_shows_every_command_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert windlass("--help") == 0
    told = capsys.readouterr().out
    lines = [line.split(maxsplit=1) for line in told.partition("Commands:\n")[2].splitlines() if line]
    assert [(name, text) for name, text in lines[: len(CONTENTS)]] == [
        (name, entry.help) for name, entry in CONTENTS.items()
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("statsu", "No such command 'statsu'. Did you mean 'status'?"),
        ("Status", "No such command 'Status'. Did you mean 'status'?"),
        ("xyzzy", "No such command 'xyzzy'. `windlass --help` lists all commands."),
        ("\x1b[2J", "No such command '\\x1b[2J'."),
        ("é" * 5000, "No such command '" + "\\xe9" * 100 + "'."),
        ("", "No such command ''."),
    ],
)
def test_an_unknown_command_is_told_what_may_have_been_meant(
    word: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert windlass(word) == 2
    assert said in capsys.readouterr().err


def test_a_command_of_a_group_is_found_and_an_unknown_one_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert windlass("repo", "-h") == 0
    assert "Usage: windlass repo" in capsys.readouterr().out
    assert windlass("repo", "ad") == 2
    assert "Did you mean 'add'?" in capsys.readouterr().err
    assert windlass("topics", "create", "--help") == 0
    assert "Usage: windlass topics create" in capsys.readouterr().out


def test_unknown_options_and_no_words_at_all_are_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert windlass("--statsu") == 2
    assert "No such option" in capsys.readouterr().err
    assert windlass() == 2
    assert "Commands:" in capsys.readouterr().err


def test_nothing_is_loaded_before_it_is_named() -> None:
    contents = {"broken": Entry("no_such_module:x", "It is not there"), "why": CONTENTS["why"]}
    group = group_of(contents)(name="windlass")
    assert group.list_commands(typer.Context(group)) == ["broken", "why"]
    found = group.get_command(typer.Context(group), "why")
    assert found is not None
    assert inspect.getdoc(found.callback)
    with pytest.raises(ModuleNotFoundError):
        group.get_command(typer.Context(group), "broken")
