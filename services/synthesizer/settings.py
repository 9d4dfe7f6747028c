"""The synthesizer's settings."""

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class SynthesizerSettings(Settings):
    """Read once, in `app.py`."""

    synthesizer_slots: int = Field(default=16, ge=1)  # pushes looked at side by side; one a repository
    mirrors: Path | None = None  # shared with the builder by default

    @property
    def mirrors_folder(self) -> Path:
        """Return where git mirrors are kept."""
        return self.mirrors or self.data / "mirrors"
