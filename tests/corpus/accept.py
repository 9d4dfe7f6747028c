"""Writes what the files of the corpora come to, for a person to review as a diff.

python -m tests.corpus.accept            all of them
python -m tests.corpus.accept cycle-two  those with these names
"""

import sys
from collections.abc import Sequence

from tests.corpus.expectation import right, wrong


def accept(names: Sequence[str]) -> list[str]:
    """Write the expectations that have changed; return which."""
    changed: list[str] = []
    for case in (*wrong(), *right()):
        if names and case.name not in names:
            continue
        now = case.outcome()
        if not case.expected.exists() or case.expected.read_text("utf-8") != now:
            case.expected.write_text(now, "utf-8")
            changed.append(f"{case.expected.parent.name}/{case.expected.name}")
    return changed


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in accept(sys.argv[1:])))
