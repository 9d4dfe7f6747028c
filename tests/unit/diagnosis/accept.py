"""Writes what the diagnosis is held to, for a person to review as a diff: the conflicts of order, and the
floor below which precision and recall over the corpus must not fall.

python -m tests.unit.diagnosis.accept
"""

import json
import sys

from tests.unit.diagnosis import corpus, order_conflicts


def floor() -> str:
    """Return the floor as the corpus stands now."""
    measured = {part: corpus.measure(part).document for part in corpus.PARTS}
    return json.dumps(measured, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    order_conflicts.LISTED.write_text(order_conflicts.listed(), "utf-8")
    corpus.FLOOR.write_text(floor(), "utf-8")
    sys.stdout.write("".join(f"{part}: {corpus.measure(part).told}\n" for part in corpus.PARTS))
