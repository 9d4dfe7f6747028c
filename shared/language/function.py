"""The functions that expressions can call: a closed set, each plain, total and bounded.

    default(a, b)           b where a is missing, null or an empty text; else a
    join(list, between)     one text of a list of texts, numbers, true and false
    format(text, a, ...)    the text with each `{}` in it replaced by the next value
    lower(text) upper(text)
    replace(text, old, new) every `old` in the text, from the left
    json(value)             the value as JSON, on one line, keys sorted
    secret(name)            the same as organization.secrets[name]
    stage_secret(name)      the same as stage.secrets[name]

What may be missing for `default`: a name inside `vars`, an output of a step that is left out, a secret
that is known not to exist. Anything else that is wrong in `a` is a mistake, a misspelt first name too.
What a value holds is never read again: `{}` in a value that `format` puts in stays as it is.

With a late argument a call is a late value itself. Its other arguments are judged at once.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.language.expression import Mistake
from shared.language.problem import did_you_mean, quoted
from shared.language.value import RESULT_CHARACTERS_MAX, TOO_LONG, as_late, as_text, measured
from shared.placeholder import Call, Late, gives_text

_HOLE = "{}"


class Kind(StrEnum):
    """What an argument must be; its value says it in messages."""

    ANY = "a value"
    TEXT = "a text"
    WRITABLE = "a text, a number, true or false"
    LIST = "a list"


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table."""

    kinds: tuple[Kind, ...]  # of its arguments, in order
    work: Callable[..., Any]  # given these, returns a value or a mistake
    more: Kind | None = None  # of any further ones


def call(name: str, arguments: Sequence[Any]) -> Any | Late | Mistake:
    """Return what a function makes of values, some of which may be late or mistakes."""
    function = FUNCTIONS.get(name)
    if function is None:
        return Mistake(f"there is no function {quoted(name)}", did_you_mean(name, NAMES))
    if complaint := wrong_number(name, function.kinds, function.more, len(arguments)):
        return complaint
    if name == "default":
        return _default(arguments)
    if mistake := next((each for each in arguments if isinstance(each, Mistake)), None):
        return mistake
    if complaint := _wrong_kind(name, function, arguments):
        return complaint
    late = any(isinstance(each, Late) for each in arguments)
    return _called_late(name, arguments) if late else function.work(*arguments)


def wrong_number(name: str, kinds: Sequence[Kind], more: Kind | None, given: int) -> Mistake | None:
    """Return why a function cannot be given so many values."""
    if given == len(kinds) or (more and given > len(kinds)):
        return None
    wanted = f"{len(kinds)} value{'s' if len(kinds) > 1 else ''}{' or more' if more else ''}"
    return Mistake(f"{name}() takes {wanted}, not {given}", SIGNATURES[name])


def _default(arguments: Sequence[Any]) -> Any:
    first, second = arguments
    for each in arguments:
        if isinstance(each, Mistake) and not each.absent:
            return each
    if isinstance(first, Late):
        return second if isinstance(second, Mistake) else _called_late("default", arguments)
    return second if isinstance(first, Mistake) or first is None or first == "" else first


def _called_late(name: str, arguments: Sequence[Any]) -> Late:
    return Late(Call(function=name, arguments=tuple(as_late(each) for each in arguments)))


def _wrong_kind(name: str, function: Function, arguments: Sequence[Any]) -> Mistake | None:
    for number, argument in enumerate(arguments):
        kind = function.kinds[number] if number < len(function.kinds) else function.more
        if kind and not _is_kind(argument, kind):
            nth = f"the {_NTH[number]} value" if number < len(_NTH) else "a value"
            return Mistake(f"{nth} given to {name}() must be {kind.value}", SIGNATURES[name])
    if name == "format":
        return _holes_unfilled(arguments)
    if name == "replace" and arguments[1] == "":
        return Mistake("replace() cannot look for an empty text", SIGNATURES[name])
    return None


def _is_kind(value: Any, kind: Kind) -> bool:
    if isinstance(value, Late):
        return kind is not Kind.LIST or not gives_text(value.value)
    match kind:
        case Kind.TEXT:
            return isinstance(value, str)
        case Kind.WRITABLE:
            return as_text(value) is not None
        case Kind.LIST:
            return isinstance(value, list | tuple)
        case _:
            return True


def _holes_unfilled(arguments: Sequence[Any]) -> Mistake | None:
    text, *values = arguments
    if isinstance(text, Late) or (holes := text.count(_HOLE)) == len(values):
        return None
    message = f"the text given to format() has {holes} times {_HOLE}, and {len(values)} values follow"
    return Mistake(message, SIGNATURES["format"])


def _join(values: Sequence[Any], between: str) -> str | Mistake:
    texts = [as_text(each) for each in values]
    known = [each for each in texts if each is not None]
    if len(known) < len(texts):
        return Mistake(f"join() puts together {Kind.WRITABLE.value}, and the list holds something else")
    return _put_together(known, between)


def _format(text: str, *values: Any) -> str | Mistake:
    *before, last = text.split(_HOLE)
    filled = [piece for pair in zip(before, map(as_text, values), strict=True) for piece in pair]
    return _put_together([*(piece or "" for piece in filled), last], "")


def _replace(text: str, old: str, new: str) -> str | Mistake:
    if len(text) + text.count(old) * (len(new) - len(old)) > RESULT_CHARACTERS_MAX:
        return TOO_LONG
    return text.replace(old, new)


def _json(value: Any) -> str | Mistake:
    size = measured(value, RESULT_CHARACTERS_MAX)
    if isinstance(size, Mistake):
        return size
    return TOO_LONG if size > RESULT_CHARACTERS_MAX else _written(value)


def _written(value: Any) -> str | Mistake:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return TOO_LONG if len(text) > RESULT_CHARACTERS_MAX else text


def _changed(text: str, change: Callable[[str], str]) -> str | Mistake:
    if len(text) > RESULT_CHARACTERS_MAX:
        return TOO_LONG
    changed = change(text)
    return TOO_LONG if len(changed) > RESULT_CHARACTERS_MAX else changed


def _put_together(texts: Sequence[str], between: str) -> str | Mistake:
    size = sum(map(len, texts)) + len(between) * max(len(texts) - 1, 0)
    return TOO_LONG if size > RESULT_CHARACTERS_MAX else between.join(texts)


_NTH = ("first", "second", "third")
# fmt: off
FUNCTIONS: Mapping[str, Function] = {
    "default": Function((Kind.ANY, Kind.ANY), lambda _first, _second: None),
    "join":    Function((Kind.LIST, Kind.TEXT), _join),
    "format":  Function((Kind.TEXT,), _format, more=Kind.WRITABLE),
    "lower":   Function((Kind.TEXT,), lambda text: _changed(text, str.lower)),
    "upper":   Function((Kind.TEXT,), lambda text: _changed(text, str.upper)),
    "replace": Function((Kind.TEXT, Kind.TEXT, Kind.TEXT), _replace),
    "json":    Function((Kind.ANY,), _json),
}
PATHS: Mapping[str, tuple[str, str]] = {  # other ways to write a path
    "secret":       ("organization", "secrets"),
    "stage_secret": ("stage", "secrets"),
}
SIGNATURES = {
    "default":      "write default(a, b): b is used where a is missing or empty",
    "join":         'write join(vars.hosts, ","): a list, and what stands between',
    "format":       'write format("{} of {}", a, b): one value for each {}',
    "lower":        "write lower(vars.name)",
    "upper":        "write upper(vars.name)",
    "replace":      'write replace(vars.name, "_", "-"): the text, what to look for, what to put there',
    "json":         "write json(vars.settings)",
    "secret":       'write secret("NAME")',
    "stage_secret": 'write stage_secret("NAME")',
}
# fmt: on
NAMES = (*FUNCTIONS, *PATHS)
