"""The suites by name: `make bench ARGS='NAME …'`, and `make bench-NAME` for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

from benchmarks.suite import Suite


@dataclass(frozen=True, slots=True)
class Entry:
    """A suite: what it is about, where it stands."""

    about: str
    place: str  # module below `benchmarks.suites`

    def load(self) -> Suite:
        """Return the suite; what it needs is imported only now."""
        suite: Suite = self._module().measure
        return suite

    def subjects(self) -> Sequence[str]:
        """Return what the suite measures: its module's `SUBJECTS`, each the subject of some series."""
        subjects: Sequence[str] = self._module().SUBJECTS
        return subjects

    def _module(self) -> ModuleType:
        return import_module(f"benchmarks.suites.{self.place}")


SUITES: Mapping[str, Entry] = {
    "push": Entry("a signed push through five steps, beside Buildbot: answer, steps, CPU, memory", "push"),
    "burst": Entry("200 pushes at once to one stage, beside Buildbot", "burst"),
    "restart": Entry("kill -9 in the third of five steps, beside Buildbot: ready again, effects", "restart"),
    "accept": Entry(
        "webhooks accepted a second while 0, 10, 100 deployments run, beside Buildbot while 1 does", "accept"
    ),
    "stages": Entry("1 to 1,000 stages at once: hand-over and CPU", "stages"),
    "queries": Entry("list and status queries at 10^3 to 10^6 stored deployments", "queries"),
    "rebuild": Entry("the read model rebuilt from its events", "rebuild"),
    "memory": Entry("memory over 10,000 deployments", "memory"),
    "start": Entry("from start to ready, and the command line's commands", "start"),
    "distributed": Entry("embedded beside Kafka and PostgreSQL", "distributed"),
    "spawn": Entry("from an order to its process's first instruction", "spawn"),
    "following": Entry("from an event's commit to a browser that follows, 1 to 100 of them", "following"),
    "plan": Entry("pipeline files checked and planned", "plan"),
}
