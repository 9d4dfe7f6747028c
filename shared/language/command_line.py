"""A command written as one text, taken apart into words without any shell.

Expressions are set aside before the words are found, so that a value with blanks or quotes in it
stays one word, or a part of one.
"""

import shlex

from shared.language.expression import Mistake, Path, Template, parse

WORDS_MAX = 1_000

_MARKS = [chr(code) for code in range(0xE000, 0xF900)]  # Unicode's private use area


def split(text: str) -> list[Template] | Mistake:
    """Return the words of a command, each with its expressions."""
    template = parse(text)
    if isinstance(template, Mistake):
        return template
    mark = next((mark for mark in _MARKS if mark not in text), "")
    if not mark:
        return Mistake("this is not a command: it holds every private character there is")
    paths = [part for part in template if isinstance(part, Path)]
    numbers = iter(range(len(paths)))
    marked = "".join(part if isinstance(part, str) else f"{mark}{next(numbers)}{mark}" for part in template)
    try:
        words = shlex.split(marked)
    except ValueError as exc:
        return Mistake(f"this is not a command: {str(exc).lower()}", "close the quotes")
    if not words or len(words) > WORDS_MAX:
        return Mistake(f"a command has 1 to {WORDS_MAX} words")
    return [_word(word, mark, paths) for word in words]


def _word(word: str, mark: str, paths: list[Path]) -> Template:
    pieces = word.split(mark)
    parts: list[str | Path] = [
        paths[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces)
    ]
    return tuple(part for part in parts if part != "") or ("",)
