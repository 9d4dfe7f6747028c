"""The pairs of adapters that every contract suite of the kernel runs on."""

from tests.contract.distributed import Distributed
from tests.contract.installation import Embedded, Installation

PAIRS: dict[str, type[Installation]] = {"embedded+sqlite": Embedded, "kafka+postgresql": Distributed}
