"""What a parsed text gives where certain things can be named: a value, a late value, or a mistake. Pure.

A scope is mappings inside mappings. What stands in one is a value, a `Late`, a `Mistake` that says why
there is none, or `Names`, which are asked for one name at a time. Nothing else is ever looked into:
names lead through mappings, never through an object's attributes. What an expression gives is never
read for expressions again.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from shared.language import function
from shared.language.expression import Budget, Expression, Given, Invocation, Mistake, Path, Template, Term
from shared.language.problem import did_you_mean, quoted
from shared.language.value import RESULT_CHARACTERS_MAX, TOO_LONG, as_late, as_text, measured
from shared.placeholder import Constant, Joined, Late, LateValue, parts_of

TERM_CHARACTERS = 4  # what a path, constant or call takes of the budget beside its value: it takes time
MISTAKE_CHARACTERS = 50  # likewise what has no value: looking for what may have been meant takes more
NEIGHBOURS_MAX = 100  # names among which is looked for what may have been meant

Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Names:
    """Names of which there may be any, or so many that each is looked up when it is used."""

    find: Callable[[str], Any]  # what one leads to, as it would stand in a scope


def resolve(template: Template, scope: Scope, budget: Budget) -> Any | Late | Mistake:
    """Return a text's value: of any type if it is one expression and nothing else, else text."""
    work = _Resolution(scope, budget)
    if len(template) == 1 and isinstance(template[0], Expression):
        return work.value(template[0])
    return work.text(template)


@dataclass(frozen=True, slots=True)
class _Resolution:
    scope: Scope
    budget: Budget

    def value(self, expression: Expression) -> Any | Late | Mistake:
        found = self._term(expression.term)
        if isinstance(found, Mistake) and found is not _OUT_OF_BUDGET:
            message = f"{quoted(expression.text)} has no value: {found.message}"
            return replace(found, message=message)
        return found

    def text(self, template: Template) -> str | Late | Mistake:
        """Return all parts one after the other, what is known of them as one text."""
        pieces: list[str | Late] = []
        size = 0
        literal = sum(len(part) for part in template if isinstance(part, str))
        if not self.budget.spend(literal):
            return _OUT_OF_BUDGET
        for part in template:
            piece = part if isinstance(part, str) else self._piece(part)
            if isinstance(piece, Mistake):
                return piece
            size += len(piece) if isinstance(piece, str) else 0
            if size > RESULT_CHARACTERS_MAX:
                return TOO_LONG
            pieces.append(piece)
        known = [piece for piece in pieces if isinstance(piece, str)]
        if len(known) == len(pieces):
            return "".join(known)
        return _put_together([part for piece in pieces for part in parts_of(as_late(piece))])

    def _piece(self, expression: Expression) -> str | Late | Mistake:
        value = self.value(expression)
        if isinstance(value, Late | Mistake):
            return value
        text = as_text(value)
        if text is None:
            kind = "empty" if value is None else "a list or a mapping"
            message = f"{quoted(expression.text)} is {kind} and cannot stand inside a text"
            hint = "default(a, b) gives b instead" if value is None else "it can be a whole value of its own"
            return Mistake(message, hint)
        return text

    def _term(self, term: Term) -> Any | Late | Mistake:
        found = self._found(term)
        size = MISTAKE_CHARACTERS if isinstance(found, Mistake) else measured(found, self.budget.characters)
        if isinstance(size, Mistake):
            return size
        return found if self.budget.spend(size + TERM_CHARACTERS) else _OUT_OF_BUDGET

    def _found(self, term: Term) -> Any | Late | Mistake:
        match term:
            case Given(value):
                return value
            case Path(names):
                return look_up(names, self.scope)
            case Invocation(name, arguments):
                return self._call(name, arguments)

    def _call(self, name: str, arguments: Sequence[Term]) -> Any | Late | Mistake:
        values: list[Any] = []
        for argument in arguments:
            values.append(value := self._term(argument))
            if isinstance(value, Mistake) and not (value.absent and name == "default"):
                return value
        if name not in function.PATHS:
            return function.call(name, values)
        complaint = function.wrong_number(name, (function.Kind.TEXT,), None, len(values))
        if complaint:
            return complaint
        if not isinstance(values[0], str):
            message = f"the name given to {name}() must be a text that is known when the plan is made"
            return Mistake(message, function.SIGNATURES[name])
        return look_up((*function.PATHS[name], values[0]), self.scope)


# What people write who know other systems.
_OTHER_WAYS = {
    "secrets": 'write secret("NAME"), or stage_secret("NAME")',
    "env": "write the value itself, or take it from vars",
    "github": "what pushed it is in trigger",
}


def look_up(names: Sequence[str], scope: Scope) -> Any | Late | Mistake:
    """Return what names lead to, each inside the one before it."""
    value: Any = scope
    for depth, name in enumerate(names):
        if isinstance(value, Names):
            value = value.find(name)
        elif isinstance(value, Mapping):
            value = value[name] if name in value else _missing(names, depth, value)
        else:
            return Mistake(f"{quoted('.'.join(names[:depth]))} holds no names")
        if isinstance(value, Mistake):
            return value
    return value


def meant(name: str, known: Iterable[str]) -> str:
    """Return what may have been meant by a name that is not there; many names are not all compared."""
    return did_you_mean(name, list(dict.fromkeys(islice(known, NEIGHBOURS_MAX))))


def _missing(names: Sequence[str], depth: int, inside: Mapping[Any, Any]) -> Mistake:
    around = f" in {quoted('.'.join(names[:depth]))}" if depth else ""
    known = (
        name for name, value in inside.items() if isinstance(name, str) and not isinstance(value, Mistake)
    )
    hint = _OTHER_WAYS.get(names[0], "") if depth == 0 else ""
    hint = hint or meant(names[depth], known)
    in_vars = depth > 0 and names[0] == "vars"  # a stage may leave out a variable, not an object of ours
    return Mistake(f"there is no {quoted(names[depth])}{around}", hint, absent=in_vars)


def _put_together(parts: Sequence[LateValue]) -> str | Late:
    """Return texts and late values as one, texts beside each other joined."""
    joined: list[LateValue] = []
    for part in parts:
        if isinstance(part, Constant) and joined and isinstance(joined[-1], Constant):
            joined[-1] = Constant(value=joined[-1].value + part.value)
        elif part != _NOTHING:
            joined.append(part)
    late = any(not isinstance(part, Constant) for part in joined)
    return Late(Joined(parts=tuple(joined))) if late else "".join(_texts(joined))


def _texts(parts: Sequence[LateValue]) -> list[str]:
    return [part.value for part in parts if isinstance(part, Constant)]


_NOTHING = Constant(value="")
_OUT_OF_BUDGET = Mistake("the expressions of this file give more text than a plan can hold", rule="limit")
