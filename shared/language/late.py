"""Late values, once what they are made of is known: evaluated, and filled in where they belong. Pure.

Whoever fills in says what each source gives; a source that gives nothing is a `Mistake`, and an `absent`
one may be replaced by `default(a, b)`. What is filled in is bounded like everything expressions give, and
never read for expressions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.language import function
from shared.language.expression import DEPTH_MAX, Budget, Mistake
from shared.language.problem import quoted
from shared.language.value import RESULT_CHARACTERS_MAX, TOO_LONG, as_text, measured
from shared.placeholder import (
    ArtifactOf,
    Call,
    Constant,
    FactOf,
    Joined,
    Late,
    LateValue,
    OutputOf,
    Placeholder,
    SecretOf,
)

Known = Callable[[OutputOf | SecretOf | ArtifactOf | FactOf], Any]  # a value as JSON has it, or a `Mistake`

LATE_DEPTH_MAX = DEPTH_MAX + 2  # a text around calls, and a text again where one is needed


def fill(
    params: Mapping[str, Any], placeholders: Sequence[Placeholder], known: Known
) -> dict[str, Any] | Mistake:
    """Return the parameters with every late value in its place; what was given is not changed."""
    filled: dict[str, Any] = dict(params)
    evaluation = _Evaluation(known)
    for placeholder in placeholders:
        value = evaluation.value(placeholder.value)
        if isinstance(value, Mistake):
            return Mistake(
                f"{quoted(_shown(placeholder.at))} has no value: {value.message}", value.hint, rule=value.rule
            )
        changed = _with_value(filled, placeholder.at, value)
        if not isinstance(changed, dict):
            return Mistake(f"{quoted(_shown(placeholder.at))} is no place that a value can be put in")
        filled = changed
    return filled


@dataclass(frozen=True, slots=True)
class _Evaluation:
    known: Known
    budget: Budget = field(default_factory=Budget)

    def value(self, late: LateValue, depth: int = 0) -> Any | Mistake:
        """Return what a late value is, or why it is none."""
        if depth > LATE_DEPTH_MAX:
            return Mistake("the value is made of others too deep inside each other", rule="limit")
        found = self._found(late, depth)
        if isinstance(found, Mistake):
            return found
        if isinstance(found, Late):
            return Mistake("what it is made of is not known yet")
        size = measured(found, RESULT_CHARACTERS_MAX)
        if isinstance(size, Mistake):
            return size
        if size > RESULT_CHARACTERS_MAX:
            return TOO_LONG
        return found if self.budget.spend(size) else _OUT_OF_BUDGET

    def _found(self, late: LateValue, depth: int) -> Any | Mistake:
        match late:
            case Constant(value=value):
                return value
            case Call(function=name, arguments=arguments):
                return function.call(name, [self.value(each, depth + 1) for each in arguments])
            case Joined(parts=parts):
                return self._joined(parts, depth)
            case _:
                return self.known(late)

    def _joined(self, parts: Sequence[LateValue], depth: int) -> str | Mistake:
        texts: list[str] = []
        size = 0
        for part in parts:
            value = self.value(part, depth + 1)
            text = None if isinstance(value, Mistake) else as_text(value)
            if text is None:
                refusal = Mistake("a list, a mapping or nothing cannot stand inside a text")
                return value if isinstance(value, Mistake) else refusal
            texts.append(text)
            size += len(text)
            if size > RESULT_CHARACTERS_MAX:
                return TOO_LONG
        return "".join(texts)


def _with_value(inside: Any, at: Sequence[str | int], value: Any) -> Any | None:
    """Return a copy with the value in its place; None where there is no such place, or it is taken."""
    around: list[tuple[Any, str | int]] = []
    for part in at:
        if not _has(inside, part):
            return None
        around.append((inside, part))
        inside = inside[part]
    if inside is not None or not around:
        return None
    for outer, part in reversed(around):
        copy = outer.copy()
        copy[part] = value
        value = copy
    return value


def _has(inside: Any, part: str | int) -> bool:
    if isinstance(inside, dict):
        return isinstance(part, str) and part in inside
    return isinstance(inside, list) and isinstance(part, int) and 0 <= part < len(inside)


def _shown(at: Sequence[str | int]) -> str:
    """Return a place as people write it: `env.URL`, `command[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in at).removeprefix(".")
    return text or "this"


_OUT_OF_BUDGET = Mistake("all late values together are longer than a plan can be", rule="limit")
