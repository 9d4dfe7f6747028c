"""`windlass repo add` and `windlass repo list`."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from services.cli import output
from services.cli.output import Document
from services.cli.session import Session, served

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The repositories that are deployed from.\n\n"
    "They are ingest's: where that has an address of its own, WINDLASS_INGEST_URL names it, beside "
    "WINDLASS_URL.",
)


@app.command("add")
@served
def add(
    session: Session,
    remote: Annotated[str, typer.Argument(metavar="URL|PATH", help="A git URL, or a folder of this machine")],
    branch: Annotated[str | None, typer.Option(help="The only branch to listen to  [usual: all]")] = None,
    name: Annotated[str | None, typer.Option(help="What to call it  [usual: as the URL says]")] = None,
    rotate: Annotated[bool, typer.Option("--rotate", help="Give a known one a new secret")] = False,
) -> None:
    """Register a repository; prints the webhook's URL and secret, the secret this once.

    \b
    Examples:
      windlass repo add https://github.com/acme/shop.git
      windlass repo add . --branch main
    """  # noqa: D301
    asked = {"remote": _absolute(remote), "branch": branch, "name": name}
    answer = session.api.post("/repositories", asked, rotate="true" if rotate else None)
    session.answer(answer, _show_added)


@app.command("list")
@served
def list_(session: Session) -> None:
    """List the registered repositories."""
    session.answer(session.api.get("/repositories"), _show_list)


def _show_added(answer: Document) -> None:
    output.say(f"{answer['name']} is registered ({answer['remote']}).")
    if answer["remote"].startswith("/"):
        first = f"`windlass deploy PIPELINE --repository {quote(answer['name'])}`"
        output.say(f"A folder tells nobody of its commits: {first} deploys what is there.")
        output.say("Or a post-receive hook in it tells of each push (docs/howto/local-repositories.md), by:")
    else:
        output.say("Give the forge this webhook (content type application/json, event push):")
    output.say(f"  URL     {answer['webhook_url']}")
    output.say(f"  Secret  {answer['secret']}")
    output.say("The secret is not shown again; `windlass repo add --rotate` makes a new one.")


def _show_list(answer: Document) -> None:
    rows = [
        [found["name"], found["remote"], found["branch"] or "all", found["webhook_url"]]
        for found in answer["repositories"]
    ]
    if not rows:
        output.say("No repository is registered yet: `windlass repo add URL|PATH`.")
        return
    output.show(output.table(["Name", "Remote", "Branch", "Webhook"], rows))


def _absolute(remote: str) -> str:
    """Return a path as the server understands it, and a URL as it is."""
    is_url = "://" in remote or (":" in remote and not Path(remote).exists())
    return remote if is_url else str(Path(remote).expanduser().absolute())
