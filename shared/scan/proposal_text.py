"""Writing a pipeline file by hand: values that mean what they say whatever is in them, and comments.

A repository's names may hold anything. Each value is quoted unless it is harmless, what would begin an
expression is escaped, and what cannot be shown is written as an escape, or as a mark in comments.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

COMMENT_CHARACTERS_MAX = 300  # of a stranger's text in a comment
LINE_CHARACTERS_MAX = 100

# Begins with a letter or a slash, and has no mark that means something to YAML wherever it stands.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./=@%+-]*(?: [A-Za-z0-9_./=@%+-]+)*")
_NOT_TEXT = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_OPENING = "${{"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def scalar(text: str) -> str:
    """Return a text as YAML in which no expression is resolved."""
    text = text.replace(_OPENING, f"${_OPENING}")
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    if text.isprintable() and ('"' in text or "\\" in text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def listing(texts: Sequence[str]) -> str:
    """Return texts as a list on one line."""
    return f"[{', '.join(map(scalar, texts))}]"


def items(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts as a list, one on each line."""
    for text in texts:
        yield f"- {scalar(text)}"


def indented(lines: Iterable[str], blanks: int) -> Iterator[str]:
    """Yield lines further to the right."""
    for line in lines:
        yield f"{' ' * blanks}{line}" if line else ""


def comment(text: str) -> Iterator[str]:
    """Yield a text as comments, broken between words."""
    line = "#"
    for word in shown(text).split(" "):
        if line != "#" and len(line) + len(word) >= LINE_CHARACTERS_MAX:
            yield line
            line = "#"
        line = f"{line} {word}"
    yield line


def commented_out(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines that take effect once their mark is taken away."""
    for line in lines:
        yield f"#| {line}".rstrip()


def shown(text: str) -> str:
    """Return a text of which nothing ends a comment."""
    cut = text if len(text) <= COMMENT_CHARACTERS_MAX else f"{text[:COMMENT_CHARACTERS_MAX]}…"
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in cut)


def _escaped(mark: str) -> str:
    if mark in _ESCAPES:
        return _ESCAPES[mark]
    if mark.isprintable():
        return mark
    code = ord(mark)
    # Half a character gets an escape that YAML refuses: the value would be another without it.
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
