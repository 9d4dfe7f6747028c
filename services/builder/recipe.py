"""A recipe as something a shell can run, and what is wrong with one that none can run."""

import re
from collections.abc import Sequence
from shlex import quote

from services.builder.environment import refused_names
from shared.plan import ArtifactPlan

SCRIPT_BYTES_MAX = 256 * 1024
VARIABLES_BYTES_MAX = 96 * 1024  # Linux refuses to start a program with one string of 128 KiB

_KEY = re.compile(r"[0-9a-f]{64}")  # it becomes part of a path


def script(commands: Sequence[str]) -> str:
    """Return the file that `/bin/sh` runs: it ends at the first command that fails.

    Each command is printed before it runs, so that the log tells which one failed.
    """
    shown = (f"printf '%s\\n' {quote('$ ' + command)}\n{command}\n" for command in commands)
    return "".join(["set -eu\n", *shown])


def recipe_problem(recipe: ArtifactPlan) -> str:
    """Return why the recipe cannot be carried out at all, or the empty string."""
    if not _KEY.fullmatch(recipe.build_key):
        return "its build key is not a sha256"
    if refused := refused_names(recipe.env):
        return f"its env sets {', '.join(refused)[:200]}, which a build may not set"
    texts = (*recipe.commands, *recipe.env.values(), recipe.path)
    if any("\0" in text for text in texts):
        return "a command, a variable or the path has a zero byte in it"
    if len(script(recipe.commands).encode("utf-8", "replace")) > SCRIPT_BYTES_MAX:
        return f"its commands are longer than {SCRIPT_BYTES_MAX} bytes"
    if sum(len(text.encode("utf-8", "replace")) for text in recipe.env.values()) > VARIABLES_BYTES_MAX:
        return f"its env is longer than {VARIABLES_BYTES_MAX} bytes"
    return ""
