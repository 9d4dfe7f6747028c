"""Reading other people's repositories: bare mirrors through the `git` program, hardened (DESIGN 13).

Used by the synthesizer, the builder and the deployer, which may share one folder of mirrors. A mirror is
a cache: losing it costs one fetch. Nothing in here knows what a pipeline is.
"""

from shared.git.address import Address, BranchName, parse_address, redacted
from shared.git.mirror import GitMirrors
from shared.git.port import BranchMissing, CommitMissing, Mirrors, Tag
from shared.git.tree import CommitInfo
from shared.tree import Entry

__all__ = [
    "Address",
    "BranchMissing",
    "BranchName",
    "CommitInfo",
    "CommitMissing",
    "Entry",
    "GitMirrors",
    "Mirrors",
    "Tag",
    "parse_address",
    "redacted",
]
