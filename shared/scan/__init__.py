"""What is in a repository: its services, how each is built and started, and which file says so.

Pure: a scan sees a `Tree`, which a working copy, a git listing or a test gives it. It proposes and
never decides: `windlass init` writes a pipeline from it, which a person reads.
"""

from shared.scan.result import Caution, Evidence, LeftOut, Scan, Service, Shape, document
from shared.scan.scanning import scan
from shared.scan.tree import MemoryTree, PartialTree, Tree

__all__ = [
    "Caution",
    "Evidence",
    "LeftOut",
    "MemoryTree",
    "PartialTree",
    "Scan",
    "Service",
    "Shape",
    "Tree",
    "document",
    "scan",
]
