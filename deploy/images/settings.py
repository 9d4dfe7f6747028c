"""What the containers' own programs are told by their environment."""

from pathlib import Path

from shared.settings import Settings


class ImageSettings(Settings):
    """Where a container keeps what only it and few others may read."""

    secrets: Path = Path("/run/windlass")  # of the installation, on a volume
    setup_seconds: float = 120.0  # for the servers to answer on a slow machine's first start
