"""Commands as lines of words: what needs a shell is given one by name."""

import re
import shlex

COMMAND_CHARACTERS_MAX = 2_000

_NEEDS_SHELL = re.compile(r"[$`;&|<>()*?~#!{}\[\]\n]|^(?:cd|exec|export|if|for|source|while)\s|^\.\s")
_SEVERAL = re.compile(r"[;&|\n<>]|^(?:cd|exec|export|if|for|source|while|\(|\{|\.)\s")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


def start_words(line: str) -> str:
    """Return a shell's command line as words that need none; nothing for what cannot be one."""
    line = line.strip()
    if not line or len(line) > COMMAND_CHARACTERS_MAX:
        return ""
    try:
        shlex.split(line)
    except ValueError:
        return ""
    if _ASSIGNMENT.match(line):
        line = f"env {line}"
    return in_shell(line) if _NEEDS_SHELL.search(line) else line


def in_shell(line: str) -> str:
    """Return words that have `sh` run a line and be replaced by its program where there is one."""
    return f"sh -c {shlex.quote(start_line(line))}"


def start_line(line: str) -> str:
    """Return a shell's line that is replaced by its program where there is one."""
    if _ASSIGNMENT.match(line):
        line = f"env {line}"
    return line if _SEVERAL.search(line) else f"exec {line}"


def quote(text: str) -> str:
    """Return a stranger's text as one word; one that looks like an option becomes a path."""
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def address_default(port: int) -> str:
    """Return how a shell writes the address to listen at."""
    return f'"${{HOST:-0.0.0.0}}:${{PORT:-{port}}}"'


def port_default(port: int) -> str:
    """Return how a shell writes the port that was given, or else this one."""
    return f'"${{PORT:-{port}}}"'
