"""The deployer's settings."""

from shared.settings import Settings


class DeployerSettings(Settings):
    """Read once, in `app.py`."""

    worker: str = "embedded"  # stable and exclusive among the deployer's replicas
    deployer_slots: int = 32  # steps carried out at once
    gateway_host: str = "127.0.0.1"  # where local stages' stable ports listen
