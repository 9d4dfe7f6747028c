"""What is probed: a service, where it is, and when it counts as good."""

from shared.events.evidence import Fact
from shared.plan import Criteria


class LocalPlace(Fact):
    """Where a release's processes and files are, on the machine that it is deployed to."""

    lives: str  # the folder of its processes, each in a folder called by its number; empty: it has none
    files: str  # its unpacked artifact


class ProbeTarget(Fact):
    """One service to probe."""

    service: str
    base_url: str
    criteria: Criteria
    release: str = ""  # expected in the Windlass-Release header; empty: no marker is asked for
    commit: str = ""  # that is deployed: what the service's own marker must say, unless said otherwise
    place: LocalPlace | None = None  # where to look beside asking; None: nobody can look there
