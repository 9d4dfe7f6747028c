"""Starts the server that shims are forked from, and is where each of them begins: `python -I -S start.py`."""

import os
import sys

# Found as `shim`, not as `shared.process.shim`, whose parents import what a worker needs.
sys.path.append(sys.argv[0].rpartition("/shim/")[0])

from shim.fork_server import serve  # type: ignore[import-not-found]
from shim.program import main  # type: ignore[import-not-found]

if serve():
    main()
    os._exit(0)  # all is written: an interpreter that is taken apart costs as much as the rest
