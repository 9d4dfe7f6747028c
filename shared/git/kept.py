"""Values that were looked at last, within a weight."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class Kept(Generic[K, V]):
    """What was looked at last. An object's id follows from its bytes, so nothing here can be out of date."""

    weight_max: int
    _values: OrderedDict[K, tuple[V, int]] = field(default_factory=OrderedDict)
    _weight: int = 0

    def get(self, key: K) -> V | None:
        """Return what was kept under the key, if it still is."""
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def keep(self, key: K, value: V, weight: int = 1) -> None:
        """Keep it, and of the others only as many as there is room for."""
        if key in self._values:
            return
        self._values[key] = (value, weight)
        self._weight += weight
        while self._weight > self.weight_max:
            _, (_, less) = self._values.popitem(last=False)
            self._weight -= less
