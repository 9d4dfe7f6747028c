"""What an archive may hold, and in which form. Packing and unpacking obey the same rules.

An archive is a gzip stream of a tar in the GNU dialect: files, folders and symbolic links, sorted,
each folder before what lies in it, owner 0, time 0, mode 0755 or 0644. Equal content gives equal
bytes. Nothing else is in it: no hard links, devices, sparse files or extended headers.

Why a link cannot lead out. A target may climb only at its beginning (`../../a/b`, never `a/../b`).
Parents of entries are real folders, so the climb is exact and is checked; what follows only
descends, through folders or through links of which the same holds.
"""

from dataclasses import dataclass

SHOWN_CHARACTERS_MAX = 200  # of a name, inside a message


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one archive may hold."""

    bytes_max: int = 4 * 1024**3  # of all files together, unpacked
    entries_max: int = 200_000  # a large node_modules has 100 000
    path_bytes_max: int = 1_024
    depth_max: int = 64  # folders inside folders; packing holds one descriptor for each
    ratio_max: int = 200  # unpacked to packed; text reaches 20, a bomb 1000
    ratio_free_bytes: int = 256 * 1024**2  # unpacked size up to which no ratio is asked for


LIMITS = Limits()


def shown(name: str) -> str:
    """Return a name from a repository as one printable, bounded piece of a message."""
    escaped = ascii(name)[1:-1] if not name.isprintable() else name
    if len(escaped) <= SHOWN_CHARACTERS_MAX:
        return escaped
    return f"{escaped[:SHOWN_CHARACTERS_MAX]}…"


def name_problem(name: str, limits: Limits) -> str:
    """Return why an entry cannot have this name, or the empty string."""
    parts = name.split("/")
    if "\0" in name or any(part in {"", ".", ".."} for part in parts):
        return f"{shown(name)!r} is not a plain path inside the archive"
    if len(_raw(name)) > limits.path_bytes_max:
        return f"{shown(name)} is longer than {limits.path_bytes_max} bytes"
    if len(parts) > limits.depth_max:
        return f"{shown(name)} lies deeper than {limits.depth_max} folders"
    return ""


def link_problem(name: str, target: str, limits: Limits) -> str:
    """Return why the symbolic link `name` cannot point at `target`, or the empty string."""
    link = f"the symbolic link {shown(name)} to {shown(target)}"
    if not target or "\0" in target or len(_raw(target)) > limits.path_bytes_max:
        return f"{link} has no target that can be kept"
    if target.startswith("/"):
        return f"{link} is absolute; make it relative"
    parts = [part for part in target.split("/") if part not in {"", "."}]
    descent = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    if descent > name.count("/"):
        return f"{link} leads out of the artifact"
    if ".." in parts[descent:]:
        return f"{link} climbs after it descended; write the target without '..' in its middle"
    return ""


def unpacked_bytes_max(packed_bytes: int, limits: Limits) -> int:
    """Return how long the tar inside may be, given the size of what it is compressed to."""
    return max(limits.ratio_free_bytes, packed_bytes * limits.ratio_max)


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
