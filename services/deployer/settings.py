"""The deployer's settings."""

from pathlib import Path

from pydantic import Field

from shared.settings import Settings


class DeployerSettings(Settings):
    """Read once, in `app.py`."""

    replaces_folder: str = ""  # the identity of a data folder that is lost for good, see shared/residence.py
    deployer_slots: int = Field(default=32, ge=1)  # steps carried out at once
    mirrors: Path | None = None  # shared with the synthesizer by default
    gateway_host: str = "127.0.0.1"  # where local stages' stable ports listen

    @property
    def share_slots(self) -> int:
        """Return how many of them one pipeline may take: its steps that never end leave others theirs."""
        return max(self.deployer_slots // 4, 1)

    @property
    def mirrors_folder(self) -> Path:
        """Return where git mirrors are kept."""
        return self.mirrors or self.data / "mirrors"
