"""The builder's settings."""

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class BuilderSettings(Settings):
    """Read once, in `app.py`."""

    replaces_folder: str = ""  # the identity of a data folder that is lost for good, see shared/residence.py
    builder_slots: int = Field(default=3, ge=1)  # builds at once: they take the machine's cores
    mirrors: Path | None = None  # shared with the synthesizer by default

    @property
    def share_slots(self) -> int:
        """Return how many of them one pipeline may take: builds that never end leave others a slot."""
        return max(self.builder_slots - 1, 1)

    @property
    def mirrors_folder(self) -> Path:
        """Return where git mirrors are kept."""
        return self.mirrors or self.data / "mirrors"
