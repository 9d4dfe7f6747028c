"""Files, as a full disk and a power cut leave them."""

import os

READ_BYTES = 64 * 1024
FDS_MAX = 1 << 16


def open_to_append(name: str) -> int:
    """Open one of the folder's files, for its owner only."""
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def write_whole(name: str, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    temporary = f"{name}.new.{os.getpid()}"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, content) < len(content):
            raise OSError(f"no room for {name}")
    finally:
        os.close(fd)
    os.rename(temporary, name)


def read(name: str) -> bytes:
    """Return a file's content, by as few calls as can be."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while piece := os.read(fd, READ_BYTES):
            content += piece
        return content
    finally:
        os.close(fd)


def sync(name: str) -> None:
    """Return when the file or folder is on the disk."""
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def forget(name: str) -> None:
    """Remove a file that may be gone already."""
    try:
        os.unlink(name)
    except FileNotFoundError:
        pass


def redirect(path: str, flags: int, descriptor: int) -> None:
    """Have the descriptor be that file."""
    opened = os.open(path, flags, 0o600)
    os.dup2(opened, descriptor)
    os.close(opened)
