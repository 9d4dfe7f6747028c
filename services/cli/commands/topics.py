"""`windlass topics create`."""

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli import output
from services.cli.distributed import asked
from services.cli.faults import CommandFault
from services.cli.session import Json

if TYPE_CHECKING:
    from shared.bus.kafka.topics import TopicState

app = typer.Typer(no_args_is_help=True, help="The topics on the Kafka brokers.", rich_markup_mode=None)

DIFFERENT = "differs"


@app.command("create")
def create(
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Of each topic; bounds a service's replicas")
    ] = None,
    replication: Annotated[
        int | None, typer.Option(min=1, max=9, help="Copies of each; 3 where there are three brokers")
    ] = None,
    grow: Annotated[
        bool,
        typer.Option("--grow", help="Give topics that have fewer partitions as many; read above first"),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the topics that are missing, and set retention and size of all as this release wants them.

    \b
    Examples:
      WINDLASS_KAFKA=broker:9092 windlass topics create
      windlass topics create --partitions 24 --replication 3

    Safe to repeat. A topic with another number of partitions is told, not changed: an event's key says
    which partition it goes to, and with more of them two events of one stage could change places. Where it
    must be, stop all services, wait until they have said all they had to say, and run it with --grow.
    Partitions are never taken away.
    """  # noqa: D301
    given = {"kafka_partitions": partitions, "kafka_replication": replication}
    with asked() as chores:
        found: list[TopicState] = chores.make_topics(
            grow=grow, **{name: value for name, value in given.items() if value is not None}
        )
    if as_json:
        output.json_document({"topics": [_document(topic) for topic in found]})
    else:
        rows = [[each.name, str(each.partitions), each.outcome, each.note] for each in found]
        output.show(output.table(["Topic", "Partitions", "", "Note"], rows))
    if any(each.outcome == DIFFERENT for each in found):
        raise CommandFault(
            "Some topics have another number of partitions; they were left as they are.",
            next_="Set WINDLASS_KAFKA_PARTITIONS to what is there, or see `windlass topics create --help`.",
        )


def _document(topic: "TopicState") -> dict[str, object]:
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "outcome": topic.outcome,
        "note": topic.note,
    }
