"""Looking over a pushed repository that has no pipeline file. Pure: the mirror is asked by others.

A scan asks for files as it goes, and a mirror answers later. So the scan is made again and again, each time
with what it asked for the time before, until it asks for nothing new. Everything is bounded: what a
repository costs here, it costs on every push.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from services.synthesizer.finding import Finding
from shared.scan import PartialTree, scan
from shared.scan.health import health_paths
from shared.scan.proposal import propose
from shared.scan.summary import found
from shared.scan.tree import DEPTH_MAX
from shared.scan.view import is_looked_into
from shared.tree import Entry

FOLDERS_MAX = 200  # that are listed; a scan takes up to 1 ms for each
FILES_MAX = 5_000  # that are looked over
READS_MAX = 150  # files that are read
READ_BYTES_MAX = 4 * 1024**2  # of all of them together
ROUNDS_MAX = 8  # scans; each reads what the one before asked for
SECONDS_MAX = 5.0  # for all of it
PROPOSAL_BYTES_MAX = 32 * 1024  # it travels in an event and is kept with the push


@dataclass(slots=True)
class Survey:
    """A repository that is being looked over: what to ask the mirror next, and what it answered."""

    name: str
    _folders: deque[str] = field(default_factory=lambda: deque([""]))
    _listed: int = 0  # folders
    _files: list[str] = field(default_factory=list)
    _contents: dict[str, bytes | None] = field(default_factory=dict)
    _bytes: int = 0
    _rounds: int = 0

    def next_folder(self) -> str | None:
        """Return the folder to list next, those near the root first; None when enough is known."""
        if not self._folders or self._listed >= FOLDERS_MAX or len(self._files) >= FILES_MAX:
            return None
        self._listed += 1
        return self._folders.popleft()

    def take_folder(self, folder: str, entries: Sequence[Entry]) -> None:
        """Take in what is in a folder."""
        for entry in entries:
            path = f"{folder}/{entry.path}" if folder else entry.path
            if entry.kind in {"file", "program"} and len(self._files) < FILES_MAX:
                self._files.append(path)
            elif entry.kind == "folder" and is_looked_into(entry.path) and path.count("/") < DEPTH_MAX:
                self._folders.append(path)

    def next_files(self) -> Mapping[str, int]:
        """Return the files to read next, and how much of each; nothing when the scan has what it needs."""
        if self._rounds >= ROUNDS_MAX or self._bytes >= READ_BYTES_MAX:
            return {}
        self._rounds += 1
        tree = self._tree()
        scanned = scan(tree, self.name)
        if not tree.wanted:
            health_paths(tree, scanned)
        return dict(islice(tree.wanted.items(), READS_MAX - len(self._contents)))

    def take_file(self, path: str, content: bytes | None) -> None:
        """Take in what is in a file."""
        self._bytes += len(content or b"")
        self._contents[path] = content

    def finding(self, slug: str, branch: str) -> Finding:
        """Return what was found."""
        tree = self._tree()
        scanned = scan(tree, self.name)
        sentence = found(scanned)
        if not sentence:
            return Finding()
        text = propose(scanned, slug, branch, health_paths(tree, scanned)).text
        if len(text.encode()) > PROPOSAL_BYTES_MAX:
            note = f"its proposal is larger than {PROPOSAL_BYTES_MAX // 1024} KiB and is not kept here"
            return Finding(sentence, note=note)
        return Finding(sentence, text)

    def _tree(self) -> PartialTree:
        return PartialTree(self._files, self._contents)
