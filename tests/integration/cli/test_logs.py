"""`windlass logs`: of a revision, of one of its runs, as it comes."""

import json
import threading

from shared.events import Event, LogAppended, LogLine
from shared.ids import Pipeline, Stage
from tests.builders import START
from tests.integration.cli.conftest import Office
from tests.integration.cli.test_commands import failed, planned, tell
from tests.unit.status.told import Told


def output_of(first: int, *texts: str, last: bool = False, log: str = "log/1") -> Event:
    return LogAppended(
        log=log,
        pipeline=Pipeline("shop"),
        revision=1,
        stage=Stage("staging"),
        what="migrate",
        first_line=first,
        lines=tuple(LogLine(at=START, text=text) for text in texts),
        last=last,
    )


def test_logs_are_those_of_the_newest_revision_and_do_no_harm(office: Office) -> None:
    assert failed(office.windlass("logs", "shop"), 1, "no pipeline 'shop'")
    office.say(planned(), output_of(0, "hello", "\x1b[2Jgone"))
    assert office.windlass("logs", "shop").out == (
        "staging/migrate | hello\nstaging/migrate | \\x1b[2Jgone\n"
    )
    assert office.windlass("logs", "shop", "1", "--stage", "production").out == ""
    lines = [json.loads(line) for line in office.windlass("logs", "shop", "--json").out.splitlines()]
    assert [line["text"] for line in lines] == ["hello", "\x1b[2Jgone"]
    unknown = office.windlass("logs", "shop", "7")
    assert failed(unknown, 1, "no revision 'shop@7'", "Its newest revision is 1.")
    assert failed(
        office.windlass("logs", "shop", "--stage", "nope"), 1, "no stage 'nope'", "staging, production"
    )
    assert failed(office.windlass("logs", "nope", "7"), 1, "no pipeline 'nope'", "Known: shop")


def test_output_of_several_runs_and_attempts_has_headings_and_one_run_is_asked_for_alone(
    office: Office,
) -> None:
    told = Told().declared().queued(1).started(1).failed(1).queued(1, "retry").started(1, "retry")
    first, second = (str(Told.run_id(1, kind)) for kind in ("deploy", "retry"))
    office.say(planned())
    tell(office, told)
    for log, text in ((f"{first}/migrate/1", "a"), (f"{first}/migrate/2", "b"), (f"{second}/migrate/1", "c")):
        office.say(output_of(0, text, log=log), output_of(1, "more", log=log))
    printed = office.windlass("logs", "shop").out.splitlines()
    assert [line for line in printed if line.startswith("==")] == [
        f"== staging/migrate, run {first[:8]}, attempt 1",
        f"== staging/migrate, run {first[:8]}, attempt 2",
        f"== staging/migrate, run {second[:8]}, attempt 1",
    ]
    assert len(printed) == 9
    alone = office.windlass("logs", "shop", "1", "--run", second[:8]).out.splitlines()
    assert alone == [printed[6], "staging/migrate | c", "staging/migrate | more"]
    nobody = next(digit for digit in "0123456789abcdef" if digit not in {first[0], second[0]})
    assert failed(
        office.windlass("logs", "shop", "1", "--run", nobody), 1, f"of revision 1 begins with '{nobody}'"
    )


def test_followed_logs_end_with_the_revision(office: Office) -> None:
    told = Told().queued(1).started(1)
    office.say(planned(), output_of(0, "one"))
    tell(office, told)
    told.failed(1)
    later = threading.Timer(
        0.3, lambda: office.say(output_of(1, "the last words", last=True), told.heard[-1].body)
    )
    later.start()
    followed = office.windlass("logs", "shop", "--follow")
    later.join()
    assert followed.code == 0
    assert followed.out.splitlines()[-1] == "staging/migrate | the last words"
