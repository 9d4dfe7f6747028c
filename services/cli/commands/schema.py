"""`windlass schema`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from services.cli import output
from services.cli.faults import CommandFault
from services.cli.loading import loading


def schema(
    kind: Annotated[
        Literal["pipeline", "devramps", "plan"],
        typer.Argument(help="Our pipeline files, those in .devramps, or what `windlass plan --json` prints"),
    ] = "pipeline",
    file: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there")
    ] = None,
) -> None:
    """Print the JSON Schema of a kind of file, so that editors complete and check it while you write.

    \b
    Examples:
      windlass schema --output .windlass/pipeline.schema.json
      windlass schema devramps --output .devramps/pipeline.schema.json

    Then let the first line of .windlass/NAME/pipeline.yaml tell the editor where it is, from that file:

    \b
      # yaml-language-server: $schema=../pipeline.schema.json

    VS Code (with Red Hat's YAML extension), JetBrains and every editor with the YAML language server read
    that line. An editor sees keys and types; `windlass validate` sees names, expressions and order too.
    """  # noqa: D301
    with loading():
        from shared.language.schema import document  # noqa: PLC0415 - the language
    text = document(kind)
    if file is None:
        print(text, end="")
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFault(f"{file!s} cannot be written: {error.strerror}.") from None
    output.say(f"Wrote {file!s}.")
