"""Loading what serves for long: there at once, and small.

To be called before any of it is loaded. Each line is worth a twentieth of a second at every start.
"""

import gc
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from services.cli import settings


def load_leanly() -> None:
    """Have what is loaded from here on leave out what no server uses, and put off what it seldom uses."""
    gc.disable()  # all that is loaded now stays; the program turns it on again when it is ready
    settings.without_plugins()
    from pydantic import BaseModel  # noqa: PLC0415 - it is told before others, and not by other commands

    # Most of some three hundred models, libraries' own among them, are not met in a day; they are built
    # when they are.
    BaseModel.model_config["defer_build"] = True
    # FastAPI keeps this to itself while it builds what reads a query; built later, it would be said aloud.
    warnings.filterwarnings("ignore", r"The 'alias' attribute with value .* was provided", UserWarning)
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]  # its own command line
    with without("rich"):  # a traceback in a log is plain text
        import structlog  # noqa: F401, PLC0415


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Have the import system know nothing of modules that are not loaded yet."""
    left_out = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(left_out))  # type: ignore[arg-type]  # None: not found
    try:
        yield
    finally:
        for name in left_out:
            del sys.modules[name]
