"""A command written as one text, taken apart into words without any shell.

Expressions are set aside before the words are found, so that a value with blanks or quotes in it
stays one word, or a part of one.
"""

import shlex

from shared.language.expression import Expression, Mistake, Template, parse

WORDS_MAX = 1_000

_MARKS = [chr(code) for code in range(0xE000, 0xF900)]  # Unicode's private use area


def split(text: str) -> list[Template] | Mistake:
    """Return the words of a command, each with its expressions."""
    template = parse(text)
    if isinstance(template, Mistake):
        return template
    mark = next((mark for mark in _MARKS if mark not in text), "")
    if not mark:
        return _no_command("this is not a command: it holds every private character there is")
    expressions = [part for part in template if isinstance(part, Expression)]
    numbers = iter(range(len(expressions)))
    marked = "".join(part if isinstance(part, str) else f"{mark}{next(numbers)}{mark}" for part in template)
    try:
        words = shlex.split(marked)
    except ValueError as exc:
        return _no_command(f"this is not a command: {str(exc).lower()}", "close the quotes")
    if not words or len(words) > WORDS_MAX:
        return _no_command(f"a command has 1 to {WORDS_MAX} words")
    return [_word(word, mark, expressions) for word in words]


def _no_command(message: str, hint: str = "") -> Mistake:
    return Mistake(message, hint, rule="wrong-value")


def _word(word: str, mark: str, expressions: list[Expression]) -> Template:
    pieces = word.split(mark)
    parts: list[str | Expression] = [
        expressions[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces)
    ]
    return tuple(part for part in parts if part != "") or ("",)
