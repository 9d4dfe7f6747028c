"""One name in a repository's tree: what readers of repositories give and the pipeline language asks for."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "program", "link", "folder", "submodule"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a tree. Undecodable bytes of a name are kept as surrogates, as `os` does it."""

    path: str  # relative to the folder that was listed
    kind: Kind
    id: str  # git's own, of the content
