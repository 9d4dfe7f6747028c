"""Whether this greeter can do its work."""

from greeting import GREETING


def check() -> str:
    """Return how it is; raise if it is not well."""
    if not GREETING.strip():
        raise ValueError("there is nothing to say")
    return "ok"
