"""Texts with expressions, made by a grammar and then damaged, resolved in scopes full of traps.

As a program it goes on for a while and prints how far it came; a seed repeats a run:

    python -m tests.unit.language.fuzz_expressions --seconds 60 --seed 1
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from shared.ids import Commit, Pipeline, Repository, Step
from shared.language.command_line import split
from shared.language.expression import DEPTH_MAX, Budget, Mistake, parse
from shared.language.function import NAMES
from shared.language.late import LATE_DEPTH_MAX, fill
from shared.language.resolution import resolve
from shared.language.scope import Facts, NamedArtifact, NamedStep, Secrets, StageScope, revision_scope
from shared.language.value import RESULT_CHARACTERS_MAX, measured
from shared.placeholder import (
    Call,
    Constant,
    Joined,
    Late,
    LateValue,
    OutputOf,
    Placeholder,
    sources,
    taken_out,
)

LATE = Late(OutputOf(step=Step("infra"), name="url"))
CANARY = "canary-7f3a"  # only ever inside objects: where it comes out, one was looked into
SECONDS_MAX = 1.0  # of one text, on a machine that does other things too

_NAMES = (
    *("vars", "stage", "pipeline", "organization", "trigger", "steps", "name", "slug", "secrets"),
    *("artifacts", "pre_mirror_artifacts", "account_id", "region", "sha", "tag", "revision"),
    *("infra", "web", "image", "digest", "image_url", "s3_url", "url", "late", "A", "true", "null"),
    *("text", "number", "list", "deep", "none", "vault", "holes", "looks", "big", "huge", "endless"),
    *("__class__", "__dict__", "__init__", "__globals__", "mro", "hidden", "keys", "get", "format", "find"),
)
_TEXTS = (
    "",
    "A",
    "web",
    "Web App",
    ",",
    "{}",
    "{0.__class__}",
    "%s",
    "${{ vars.text }}",
    "\\",
    "é\u0130ß",
    '"',
)
_FRAGMENTS = (
    *("${{", "}}", "$${{", "$$", "$", "{{", "(", ")", "[", "]", ".", ",", '"', "'", " ", "\n", "\t", "\0"),
    *("-", "1e999", "-0", "99999999999999999999", "||", "?", "{}", "\ue000", "\ud800", "\u202e", "vars"),
)
_PATHS = (
    *("vars.text", "vars.number", "vars.list", "vars.deep.er", "vars.missing", "vars.none", "vars.holes"),
    *("vars.vault.hidden", "vars.vault", "vars.late", "vars.endless", "vars.huge", "vars.big", "vars.looks"),
    *("stage.name", "stage.account_id", "trigger.tag", "trigger.revision", "organization.slug", "vars"),
    *("steps.infra.url", "steps.left.url", "steps.after.url", "steps.here.url", 'steps["Own"].any', "steps"),
    *("stage.artifacts.web.digest", 'pipeline.pre_mirror_artifacts["Web App"].s3_url', "stage.secrets.A"),
)

_GOOD_PATHS = (
    *("vars.text", "vars.deep.er.name", "vars.holes", "vars.looks", "stage.name", "trigger.sha", "vars.late"),
    *(
        "steps.infra.url",
        'steps["Own"].any',
        "stage.artifacts.web.digest",
        "secret('A')",
        "stage_secret('A')",
    ),
    *("pipeline.slug", "organization.slug", "stage.artifacts.image.image_url", "vars.big"),
)


class Vault:
    """An object in a scope: whatever is reached of it is remembered."""

    def __init__(self) -> None:
        self.hidden = CANARY
        self.reached: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if name not in {"__class__", "reached"}:  # the first is what `isinstance` asks
            object.__getattribute__(self, "reached").append(name)
        return object.__getattribute__(self, name)

    def __getitem__(self, name: str) -> str:
        return CANARY

    def __str__(self) -> str:
        return CANARY

    __repr__ = __format__ = lambda *_: CANARY  # type: ignore[assignment]


@dataclass
class Counts:
    """How far it came."""

    texts: int = 0
    values: int = 0
    late: int = 0
    filled: int = 0
    mistakes: int = 0
    messages: set[str] = field(default_factory=set)  # kinds of mistakes met, their quotes left out


def expression(chance: Random, depth: int = 0) -> str:
    """Return what may stand between the braces: half of the time what may well have a value."""
    if depth == 0 and chance.random() < 0.5:
        return good_expression(chance, chance.choice([0, 1, 2, 4, DEPTH_MAX]))
    kind = chance.random()
    if depth < DEPTH_MAX + 2 and kind < (0.35 if depth else 0.6):
        function = chance.choice([*NAMES, "default", "format", "nothing"])
        count = {"replace": 3, "default": 2, "join": 2}.get(function, chance.choice([1, 1, 1, 0, 2, 40]))
        some = min(count, 40 if depth == 0 else 3)
        return f"{function}({', '.join(expression(chance, depth + 1) for _ in range(some))})"
    if kind < 0.8:
        return chance.choice(_PATHS) if chance.random() < 0.8 else _path(chance)
    if kind < 0.93:
        return quoted_text(chance)
    return chance.choice(["true", "false", "null", "0", "-1.5", "1e9", "123456789012345678"])


def good_expression(chance: Random, depth: int) -> str:
    """Return an expression that gives a text, of calls as deep as this."""
    if depth == 0:
        return chance.choice([*_GOOD_PATHS, quoted_text(chance)])
    inner = good_expression(chance, depth - 1)
    other = good_expression(chance, chance.randrange(min(depth, 3)))
    return chance.choice([
        f"lower({inner})", f"upper({inner})", f"json({inner})", f"default({inner}, {other})",
        f"default(vars.missing, {inner})", f"format('{{}}-{{}}', {inner}, {other})",
        f"replace({inner}, 'a', {other})", f"join(vars.list, {inner})", f"join({inner}, ',')",
    ])  # fmt: skip


def _path(chance: Random) -> str:
    members = "".join(
        f".{chance.choice(_NAMES)}" if chance.random() < 0.7 else f"[{quoted_text(chance)}]"
        for _ in range(chance.choice([0, 1, 1, 2, 2, 2, 3, 3, 3, 20]))
    )
    return chance.choice(_NAMES) + members


def quoted_text(chance: Random) -> str:
    mark = chance.choice("\"'")
    return mark + chance.choice([*_TEXTS, *_NAMES]).replace(mark, mark * 2) + mark


def text_with_expressions(chance: Random) -> str:
    """Return a text with expressions, often a little wrong."""
    pieces = []
    for _ in range(chance.choice([1, 1, 1, 2, 3, 120])):
        if chance.random() < 0.5:
            pieces.append(chance.choice([*_TEXTS, *_FRAGMENTS]))
        pieces.append("${{ " + expression(chance, 0 if len(pieces) < 6 else DEPTH_MAX) + " }}")
    whole = pieces[-1] if chance.random() < 0.4 else "".join(pieces)
    for _ in range(chance.choice([0, 0, 0, 0, 0, 1, 2, 5])):
        at = chance.randrange(len(whole) + 1)
        cut = chance.choice([0, 0, 1, 3])
        whole = whole[:at] + chance.choice(_FRAGMENTS) + whole[at + cut :]
    return whole


def scope(chance: Random, vault: Vault) -> dict[str, Any]:
    """Return what can be named in a step, traps among it."""
    endless: list[Any] = []
    endless.append(endless)
    values: dict[str, Any] = {
        "text": "Ada", "number": 8101, "list": ["a", 1, True], "deep": {"er": {"name": "x"}},
        "none": None, "vault": vault, "holes": "{} {0.hidden} %s", "looks": "${{ vars.text }}",
        "big": "x" * 60_000, "huge": 10**5_000, "endless": endless, "late": LATE, "nan": float("nan"),
        "in a list": [vault], "set": {1}, "bytes": b"x", "keys": {1: 2},
    }  # fmt: skip
    for _ in range(chance.choice([0, 0, 5])):
        values.pop(chance.choice(list(values)))
    asked = Secrets(frozenset({"A", "B"}), {"beta": frozenset({"A"})})
    facts = Facts(
        pipeline=Pipeline("shop"),
        repository=Repository("acme/shop"),
        remote="/srv/shop",
        branch="main",
        commit=Commit("c" * 40),
        revision=7,
        entries={},
        organization=chance.choice([None, {"name": "Acme", "slug": "acme"}]),
        secrets=chance.choice([None, asked]),
    )
    artifacts = (
        NamedArtifact("web", "Web App", "bundle"),
        NamedArtifact("image", "Image", "image", per_stage=chance.random() < 0.5),
    )
    steps = (
        NamedStep("infra", "Infra", ("url", "zone"), ()),
        NamedStep("own", "Own", None, ("infra",)),
        NamedStep("left", "Left out", ("url",), ("own",)),
        NamedStep("here", "Here", ("url",), ("left",)),
        NamedStep("after", "After", ("url",), ("here",)),
    )
    stage = StageScope(facts, "beta", values, "", "eu-west-1", artifacts, steps, frozenset({"left"}))
    made: Callable[[], Any] = chance.choice(
        [lambda: stage.of_step("here")] * 6 + [stage.of_build, lambda: revision_scope(facts), dict]
    )
    return dict(made())


def look(text: str, chance: Random, counts: Counts) -> None:
    """Resolve a text, fill in what is late, and hold the outcome against what is promised of it."""
    vault = Vault()
    names, budget = scope(chance, vault), Budget()
    counts.texts += 1
    template = parse(text)
    found = template if isinstance(template, Mistake) else resolve(template, names, budget)
    if isinstance(found, Late):
        counts.late += 1
        judge_late(found.value)
        found = _filled(found, chance)
        counts.filled += not isinstance(found, Mistake)
    if isinstance(found, Mistake):
        counts.mistakes += 1
        counts.messages.add(_kind(found.message))
        assert len(found.message) < 1_000, "a message is as long as what it is about"
        assert CANARY not in found.message + found.hint, "a message tells what is inside an object"
    else:
        counts.values += 1
        judge_value(found)
    words = split(text)
    if not isinstance(words, Mistake):
        for word in words[:3]:
            resolve(word, names, budget)
    assert not vault.reached, f"an object was asked for {vault.reached}"


def judge_value(value: Any) -> None:
    assert isinstance(measured(value, 10**7), int), "what comes out is no value of JSON"
    assert CANARY not in json.dumps(value, allow_nan=False)
    assert not isinstance(value, str) or len(value) <= RESULT_CHARACTERS_MAX


def judge_late(value: LateValue) -> None:
    assert _depth(value) <= LATE_DEPTH_MAX, "deeper than whoever fills it in will look"
    assert any(not isinstance(source, Constant) for source in sources(value))
    placeholder = Placeholder(at=("x",), value=value)
    document = json.dumps(placeholder.model_dump(mode="json"))
    assert CANARY not in document
    if "\\ud800" not in document:  # half a character is no JSON for everybody
        assert Placeholder.model_validate_json(document) == placeholder


def _filled(late: Late, chance: Random) -> Any:
    params, placeholders = taken_out({"x": [late]})

    def known(source: LateValue) -> Any:
        given = ["", "there", "{}", "y" * 60_000, 3, None, ["a"], {"b": 1}, Late(Constant(value=1)), Vault()]
        missing = [Mistake("it is missing", absent=True), Mistake("it is broken")]
        return chance.choice([*given, *missing])

    filled = fill(params, placeholders, known)
    assert params == {"x": [None]}, "what was given is changed"
    return filled if isinstance(filled, Mistake) else filled["x"][0]


def _depth(value: LateValue) -> int:
    match value:
        case Call(arguments=parts) | Joined(parts=parts):
            return 1 + max((_depth(part) for part in parts), default=0)
        case _:
            return 0


def _kind(message: str) -> str:
    """Return a message's own words: what is quoted at its start and its end is left out."""
    return message.rpartition('" ')[2].partition(' "')[0][:60]


def main() -> int:
    """Go on for a while and print what was met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    chance, counts = Random(told.seed), Counts()
    began = time.monotonic()
    slowest = 0.0
    while (start := time.monotonic()) - began < told.seconds:
        text = text_with_expressions(chance)
        try:
            look(text, chance, counts)
        except BaseException as exc:
            exc.add_note(f"after {counts.texts} texts of seed {told.seed}: {text!r}")
            raise
        slowest = max(slowest, time.monotonic() - start)
    sys.stdout.write(
        f"{counts.texts} texts in {told.seconds:g} s: {counts.values} values, {counts.late} late of which "
        f"{counts.filled} filled in, {counts.mistakes} mistakes of {len(counts.messages)} kinds; "
        f"the slowest took {slowest * 1000:.0f} ms\n"
    )
    return 0 if slowest <= SECONDS_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
