"""`python -m deploy.docs` writes the generated pages; `--check` writes nothing and refuses stale ones."""

import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.docs.page import PAGES, stale, write

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """Return the exit code: 0 when every page on disk is, or now is, what the code says."""
    if not set(arguments) <= {"--check"}:
        sys.stderr.write("usage: python -m deploy.docs [--check]\n")
        return 2
    outdated = stale(PAGES, root)
    if not arguments:
        write(outdated, root)
        sys.stdout.writelines(f"wrote {page.path}\n" for page in outdated)
        return 0
    sys.stderr.writelines(f"{page.path} is out of date: run `make docs`\n" for page in outdated)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
