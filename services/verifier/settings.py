"""What can be set about the verifier."""

from pydantic import Field

from shared.settings import Settings


class VerifierSettings(Settings):
    """Read once, in `app.py`."""

    verifier_slots: int = Field(default=256, ge=1)  # side by side; each is mostly waiting, some for an hour
    health_slots: int = Field(default=16, ge=2)  # looks at what is live side by side; half may hang
