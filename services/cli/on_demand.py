"""A command that is loaded when it is named: the list of commands costs nothing but its own text."""

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from services.cli.contents import Entry
from services.cli.loading import loading

NAME_CHARACTERS_MAX = 100  # of a word that is no command, in what is said about it


def load(name: str, entry: Entry) -> Any:
    """Return the command that an entry names, ready to be run."""
    module, _, attribute = entry.place.partition(":")
    with loading():
        found = getattr(import_module(f"services.cli.commands.{module}"), attribute)
    if isinstance(found, typer.Typer):
        return get_group(found)
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(name)(found)
    return get_command(alone)


def group_of(contents: Mapping[str, Entry]) -> type[TyperGroup]:
    """Return the group that has these commands, for `typer.Typer(cls=...)`."""

    class OnDemand(TyperGroup):
        """Loads what is named, and nothing else."""

        def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
            return list(contents)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
            if cmd_name in contents and cmd_name not in self.commands:
                self.commands[cmd_name] = load(cmd_name, contents[cmd_name])
            return self.commands.get(cmd_name)

        def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
            with formatter.section("Commands"):
                formatter.write_dl([(name, entry.help) for name, entry in contents.items()])

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args[0] not in contents and not args[0].startswith("-"):
                ctx.fail(_unknown(args[0][:NAME_CHARACTERS_MAX], contents))
            return super().resolve_command(ctx, args)

    return OnDemand


def _unknown(name: str, contents: Mapping[str, Entry]) -> str:
    near = get_close_matches(name.lower(), contents, n=3)
    meant = " or ".join(repr(each) for each in near)
    hint = f"Did you mean {meant}?" if near else "`windlass --help` lists all commands."
    return f"No such command {name!a}. {hint}"
