"""What can be set about the verifier."""

from pydantic import Field

from shared.settings import Settings


class VerifierSettings(Settings):
    """Read once, in `app.py`."""

    verifier_slots: int = Field(default=32, ge=1)  # verifications side by side; each is mostly waiting
