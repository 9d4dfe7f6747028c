"""Starts the shim: `python -I -S start.py FOLDER`, or without FOLDER ahead of its being known."""

import sys

# Found as `shim`, not as `shared.process.shim`, whose parents import what a worker needs.
sys.path.append(sys.argv[0].rpartition("/shim/")[0])

from shim.program import main, told_folder  # type: ignore[import-not-found]

folder = sys.argv[1] if len(sys.argv) > 1 else told_folder()
if folder:
    main(folder)
