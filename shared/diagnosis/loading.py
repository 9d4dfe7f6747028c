"""Having the rules ready before the first failure: loaded and compiled at its time they hold all else up."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import shared.diagnosis
from shared.diagnosis.rule import TO_COMPILE


def load() -> Iterator[None]:
    """Load and compile them a little at a time, some milliseconds at the most; safe to repeat."""
    package = shared.diagnosis.__name__
    for module in iter_modules(shared.diagnosis.__path__, f"{package}."):
        if module.name.endswith("_rules"):
            import_module(module.name)
            yield
    import_module(f"{package}.rules")  # in their order
    yield
    for compiled in TO_COMPILE:
        compiled()
        yield
