"""Starts the shim: `python -I -S start.py FOLDER`."""

import sys

# Found as `shim`, not as `shared.process.shim`, whose parents import what a worker needs.
sys.path.append(sys.argv[0].rpartition("/shim/")[0])

from shim.program import main  # type: ignore[import-not-found]

main(sys.argv[1])
