"""Dead letters in words, as people read them."""

import json
from collections.abc import Iterator

from services.cli import output, words
from services.cli.output import Document

ID_CHARACTERS = 8  # of an id in a list; enough for the other commands
COLUMNS = ("Id", "State", "Service", "Message", "About", "Died", "Times", "Why")
FOREIGN = "foreign"  # the type of what is no event of ours
REFUSED = "refused: "  # how the note begins of a letter that its service cannot hear


def notice(waiting: int) -> str:
    """Return what `windlass status` says about those that wait; empty if none does."""
    if not waiting:
        return ""
    which = "1 dead letter waits" if waiting == 1 else f"{waiting} dead letters wait"
    return f"{which} for you: messages that a service could not take. `windlass dead-letters list`"


def failed(letter: Document) -> bool:
    """Tell whether a letter waits for a person, again or still."""
    return bool(letter["state"] == "waiting")


def show_list(found: Document) -> None:
    """Print a list of letters."""
    rows = [
        [
            letter["id"][:ID_CHARACTERS],
            (letter["state"], words.STYLES.get("failed", "") if failed(letter) else ""),
            letter["consumer_group"],
            _short(letter["type"]),
            letter["subject"] or letter["key"],
            words.ago(letter["died_at"]),
            str(letter["deaths"]),
            letter["note"] if letter["note"].startswith(REFUSED) else letter["summary"],
        ]
        for letter in found["dead_letters"]
    ]
    if not rows:
        output.say("There are none. With --state all, those that were replayed or discarded are shown too.")
        return
    output.show(output.table(COLUMNS, rows))
    if found["next"]:
        output.say("There are more: --limit shows up to 200, --group and --type narrow the list.")
    output.say("`windlass dead-letters show ID` tells all about one; then `replay ID`, or `discard ID`.")


def show(letter: Document) -> None:
    """Print one letter with everything in it."""
    for name, value in _facts(letter):
        output.say(f"{name + ':':<13}{value}")
    for name, value in letter["headers"].items():
        output.say(f"{'Header:':<13}{name}: {value}")
    _block("Why it died", letter["reason"])
    _block("What it said" + _remark(letter), _laid_out(letter))
    if letter["state"] == "waiting":
        output.say("")
        output.say(_ways_out(letter))


def _ways_out(letter: Document) -> str:
    id_ = letter["id"][:ID_CHARACTERS]
    if letter["type"] == FOREIGN:
        return (
            "It is no event of Windlass, so nobody can ever hear it: "
            f"`windlass dead-letters discard {id_} --reason …`."
        )
    return f"Mend the cause, then `windlass dead-letters replay {id_}`; or `discard {id_} --reason …`."


def _facts(letter: Document) -> Iterator[tuple[str, str]]:
    yield "Dead letter", letter["id"]
    yield "State", _state(letter)
    yield "Service", letter["consumer_group"]
    yield "Message", f"{letter['type']} from {letter['source'] or 'nobody known'}, {letter['event']}"
    yield "About", letter["subject"] or letter["key"] or "-"
    yield "Lay at", f"{letter['origin'] or letter['topic']}, under the key {letter['key']!r}"
    yield "Said", f"{letter['time']} ({words.ago(letter['time'])})"
    times = "" if letter["deaths"] == 1 else f", {letter['deaths']} times in all"
    yield (
        "Died",
        f"{letter['died_at']} ({words.ago(letter['died_at'])}), at attempt {letter['attempts']}{times}",
    )
    if letter["correlation"]:
        yield "Deployment", letter["correlation"]


def _state(letter: Document) -> str:
    by = f" by {letter['changed_by']}" if letter["changed_by"] else ""
    note = f": {letter['note']}" if letter["note"] else ""
    said = f" ({words.ago(letter['changed_at'])}{by}{note})" if by or note else ""
    return f"{letter['state']}{said}"


def _remark(letter: Document) -> str:
    remarks = []
    if letter["body_encoding"] != "text":
        remarks.append("no text, so in base64")
    if letter["body_truncated"]:
        remarks.append(f"only its beginning; all of it: GET /api/v1/dead-letters/{letter['id']}/body")
    return f" ({'; '.join(remarks)})" if remarks else ""


def _laid_out(letter: Document) -> str:
    try:
        return json.dumps(json.loads(letter["body"]), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return str(letter["body"])


def _block(title: str, text: str) -> None:
    output.say("")
    output.say(f"{title}:")
    for line in text.splitlines() or ["(nothing)"]:
        output.say(f"  {line}")


def show_many(answer: Document) -> None:
    """Print how many are being replayed."""
    if answer["asked"]:
        which = "1 dead letter is" if answer["asked"] == 1 else f"{answer['asked']} dead letters are"
        output.say(f"{which} being handed over. `windlass dead-letters list` shows those that are left.")
    elif not answer["foreign"]:
        output.say("None of these waits.")
    if answer["foreign"]:
        which = "1 was" if answer["foreign"] == 1 else f"{answer['foreign']} were"
        output.say(
            f"{which} left out, being no event of Windlass: "
            f"`windlass dead-letters discard --type {FOREIGN} --reason …`."
        )


def show_many_discarded(answer: Document) -> None:
    """Print how many were put away."""
    if answer["discarded"]:
        which = "1 dead letter is" if answer["discarded"] == 1 else f"{answer['discarded']} dead letters are"
        output.say(f"{which} discarded. `windlass dead-letters list --state discarded` shows them.")
    else:
        output.say("None of these waits.")


def show_outcomes(answer: Document) -> None:
    """Print what became of each letter."""
    for letter in answer["dead_letters"]:
        output.say(f"{letter['id'][:ID_CHARACTERS]}  {_ending(letter)}")


def _ending(letter: Document) -> str:
    what = f"{letter['consumer_group']}, {_short(letter['type'])} of {letter['subject'] or letter['key']}"
    match letter["state"]:
        case "replayed":
            return f"handled ({what})"
        case "discarded":
            return f"discarded ({what})"
        case "asked":
            return f"asked for; {letter['consumer_group']} has not answered yet ({what})"
    if letter["note"].startswith(REFUSED):
        return f"{letter['note']} ({what})"
    return f"died again: {letter['summary']} ({what})"


def _short(type_: str) -> str:
    return type_.removeprefix("windlass.").rpartition(".v")[0] or type_
