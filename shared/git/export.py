"""Writing one commit's files into a fresh folder. Blocking: runs in a thread.

Git's own checkout is not used: attributes, filters and line-end settings must not change a byte or
start a program, and every name and link is judged before anything is built from it. Files of Git
LFS stay the pointers they are, submodules stay empty folders.
"""

import errno
import os
import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from shared.faults import Refused, TryAgain
from shared.git.blocking import BlockingObjects
from shared.git.program import Limits
from shared.git.tree import parse_commit, parse_tree
from shared.tree import Entry

LINK_BYTES_MAX = 4_096  # PATH_MAX
DEPTH_MAX = 100

_SHORTAGES = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO})


@dataclass(slots=True)
class Export:
    """One checkout under way; `stop` ends it from another thread."""

    command: Sequence[str]  # git cat-file --batch
    environ: Mapping[str, str]
    limits: Limits
    _stopped: threading.Event = field(default_factory=threading.Event)
    _process: subprocess.Popen[bytes] | None = None
    _bytes: int = 0

    def stop(self) -> None:
        """Make `write` give up soon; called from another thread."""
        self._stopped.set()
        if self._process:
            self._process.kill()

    def write(self, commit: str, folder: Path) -> None:
        """Make the folder, whole or not at all. What a killed export left is cleared away."""
        if folder.exists():
            raise Refused(f"{folder.name} exists already; a checkout needs a fresh folder")
        part = folder.with_name(f"{folder.name}.part")
        try:
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            with self._objects() as objects:
                self._fill(objects, commit, part)
            part.rename(folder)
        except OSError as exc:
            shutil.rmtree(part, ignore_errors=True)
            fault = TryAgain if exc.errno in _SHORTAGES else Refused
            raise fault(f"the commit's files could not be written: {exc.strerror}") from exc
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _fill(self, objects: BlockingObjects, commit: str, root: Path) -> None:
        tree = parse_commit(objects.whole(commit, "commit")).tree
        entries = self._listed(objects, tree)
        for entry in entries:
            if entry.kind in {"folder", "submodule"}:
                (root / entry.path).mkdir()
        files = [entry for entry in entries if entry.kind in {"file", "program"}]
        for entry, size in objects.each(files):
            self._count(size)
            _write_file(objects, root / entry.path, entry, size)
        # Links come last: while files are written there is nothing that could lead them elsewhere.
        links = [entry for entry in entries if entry.kind == "link"]
        for entry, size in objects.each(links):
            _write_link(objects, root / entry.path, entry, size)
        _check_links(root, links)

    def _listed(self, objects: BlockingObjects, tree: str) -> list[Entry]:
        listed: list[Entry] = []
        folders = [("", tree)]
        for depth in range(DEPTH_MAX + 1):
            if not folders:
                return listed
            if depth == DEPTH_MAX:
                break
            below: list[tuple[str, str]] = []
            for prefix, tree_id in folders:
                for entry in parse_tree(objects.whole(tree_id, "tree"), len(tree_id) // 2):
                    found = Entry(prefix + entry.path, entry.kind, entry.id)
                    listed.append(found)
                    if entry.kind == "folder":
                        below.append((f"{found.path}/", entry.id))
                self._check_going_on(len(listed))
            folders = below
        raise Refused(f"the repository has folders more than {DEPTH_MAX} deep")

    def _check_going_on(self, entries: int) -> None:
        if entries > self.limits.checkout_files_max:
            limit = self.limits.checkout_files_max
            raise Refused(f"the commit has more than {limit} files and folders")
        if self._stopped.is_set():
            raise TryAgain("the checkout was stopped")

    def _count(self, size: int) -> None:
        self._check_going_on(0)
        self._bytes += size
        if self._bytes > self.limits.checkout_bytes_max:
            limit = self.limits.checkout_bytes_max
            raise Refused(f"the commit's files are larger than {limit} bytes together")

    @contextmanager
    def _objects(self) -> Iterator[BlockingObjects]:
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(self.environ),
            start_new_session=True,
        )
        try:
            self._check_going_on(0)
            requests = cast("BinaryIO", self._process.stdin)
            answers = cast("BinaryIO", self._process.stdout)
            yield BlockingObjects(requests, answers, self.limits.object_bytes_max)
        finally:
            self._process.kill()
            self._process.communicate()


def _write_file(objects: BlockingObjects, path: Path, entry: Entry, size: int) -> None:
    mode = 0o755 if entry.kind == "program" else 0o644
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, mode), "wb") as file:
        for chunk in objects.chunks(size):
            file.write(chunk)


def _write_link(objects: BlockingObjects, path: Path, entry: Entry, size: int) -> None:
    target = objects.take(min(size, LINK_BYTES_MAX + 1))
    if not target or len(target) > LINK_BYTES_MAX or b"\0" in target:
        raise Refused(f"the link {entry.path!a} leads nowhere that a file system knows")
    if target.startswith(b"/"):
        raise Refused(f"the link {entry.path!a} leads out of the repository: it is absolute")
    path.symlink_to(os.fsdecode(target))


def _check_links(root: Path, links: Iterable[Entry]) -> None:
    """Refuse links that end outside, by the file system's own walk: it passes through other links."""
    inside = f"{root.resolve()}/"
    for link in links:
        if not f"{os.path.realpath(root / link.path)}/".startswith(inside):
            raise Refused(f"the link {link.path!a} leads out of the repository")
