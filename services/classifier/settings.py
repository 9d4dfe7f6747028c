"""What can be set about the classifier: nothing of its own, its rules are code."""

from shared.settings import Settings


class ClassifierSettings(Settings):
    """Read once, in `app.py`."""
