"""What every command that speaks to a Windlass has: where it is, and how the answer is wanted.

`served` gives a command the options `--data`, `--url` and `--json`; the command itself is handed a
`Session` in their place. The HTTP client is loaded only when something is asked.
"""

import functools
import inspect
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, get_type_hints

import typer

from services.cli import output
from services.cli.connection import find
from services.cli.settings import DATA_VARIABLE, URL_VARIABLE

if TYPE_CHECKING:
    from services.cli.api import Api

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar=DATA_VARIABLE, help="Data folder of `windlass up`  [usual: ~/.windlass]"),
]
Url = Annotated[
    str | None,
    typer.Option("--url", envvar=URL_VARIABLE, help="Where Windlass runs; its token is WINDLASS_TOKEN"),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]

Rest = ParamSpec("Rest")


@dataclass(slots=True)
class Session:
    """One command's dealings with one Windlass."""

    data: Path | None
    url: str | None
    as_json: bool
    _api: "Api | None" = None

    @property
    def api(self) -> "Api":
        """The API of the Windlass that is meant."""
        from services.cli.api import Api  # noqa: PLC0415 - a quarter of a second that `--help` need not pay

        self._api = self._api or Api(find(self.data, self.url))
        return self._api

    def close(self) -> None:
        """Hang up."""
        if self._api is not None:
            self._api.close()

    def answer(self, document: Any, show: Callable[[Any], None]) -> None:
        """Print the document as JSON or have it shown."""
        if self.as_json:
            output.json_document(document)
        else:
            show(document)


def served(command: Callable[Concatenate[Session, Rest], None]) -> Callable[..., None]:
    """Give a command the common options."""

    @functools.wraps(command)
    def with_options(*args: Any, data: Path | None, url: str | None, as_json: bool, **rest: Any) -> None:
        with closing(Session(data, url, as_json)) as session:
            command(session, *args, **rest)

    common = {"data": (Data, None), "url": (Url, None), "as_json": (Json, False)}
    hints = get_type_hints(command, include_extras=True)
    own = list(inspect.signature(command).parameters.values())[1:]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)
        for name, (hint, default) in common.items()
    ]
    parameters = [each.replace(annotation=hints[each.name]) for each in own] + added
    with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_options
