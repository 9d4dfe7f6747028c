"""Webhook secrets at rest: encrypted under a key in a file that only its owner can read."""

import os
import tempfile
from pathlib import Path
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken

from shared.artifacts.folder import disk_faults
from shared.faults import Refused

KEPT_OPEN_MAX = 1_000  # secrets remembered in the clear, to spare deciphering at each webhook


class Vault(Protocol):
    """Encrypts and decrypts."""

    def seal(self, secret: bytes) -> bytes:
        """Return the secret as it may be stored."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Return the secret; Refused when it was sealed under another key."""
        ...


class FileVault:
    """A vault whose key lies in `file`, made at first use."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._fernet: Fernet | None = None
        self._opened: dict[bytes, bytes] = {}

    def seal(self, secret: bytes) -> bytes:
        """Return the secret as it may be stored."""
        return self._key().encrypt(secret)

    def open(self, sealed: bytes) -> bytes:
        """Return the secret; Refused when it was sealed under another key."""
        opened = self._opened.get(sealed)
        if opened is None:
            opened = self._decipher(sealed)
            if len(self._opened) >= KEPT_OPEN_MAX:
                self._opened.clear()
            self._opened[sealed] = opened
        return opened

    def _decipher(self, sealed: bytes) -> bytes:
        try:
            return self._key().decrypt(sealed)
        except InvalidToken:
            raise Refused(
                f"the secret cannot be read with the key in {self._file.name}: was the key replaced?"
            ) from None

    def _key(self) -> Fernet:
        if self._fernet is None:
            with disk_faults("keeping the key of webhook secrets"):
                if not self._file.exists():
                    _write_once(self._file, Fernet.generate_key())
                self._fernet = Fernet(self._file.read_bytes())
        return self._fernet


def _write_once(file: Path, content: bytes) -> None:
    """Write the whole file or nothing, readable by its owner only; the first writer wins."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent)  # made with mode 0600
    written = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            file.hardlink_to(written)
        except FileExistsError:
            return
        _sync_folder(file.parent)
    finally:
        written.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
