"""Which processes listen, and where, as the kernel says it: on Linux, of processes that we may look at.

Elsewhere nothing is found. What a process hands to a session of its own is not looked for.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

LISTENS = "0A"  # the state in /proc/net/tcp
ADDRESSES_MAX = 20  # told of one session


def listening_sockets() -> Iterator[tuple[str, str]]:
    """Yield every socket that listens, as links to it read, and its address as the kernel writes it."""
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTENS:
                    yield f"socket:[{fields[9]}]", fields[1]


def port_of(address: str) -> int:
    """Return the port of an address as the kernel writes it."""
    return int(address.rpartition(":")[2], 16)


def readable(address: str) -> str:
    """Return an address as people write it: "127.0.0.1:5000", "[::]:8080"."""
    packed = bytes.fromhex(address.partition(":")[0])
    words = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    host = b"".join(words if sys.byteorder == "big" else [word[::-1] for word in words])
    port = port_of(address)
    return f"{IPv4Address(host)}:{port}" if len(host) == 4 else f"[{IPv6Address(host)}]:{port}"


def everybody() -> Sequence[int]:
    """Return all processes there are."""
    with suppress(OSError):
        return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208 - in haste
    return []


def session_led(folder: Path) -> int | None:
    """Return the session of a process that a shim started; it leads one of its own."""
    with suppress(OSError, ValueError, IndexError):
        return int((folder / "group").read_text(encoding="ascii").split()[0])
    return None


def session_of(process: int) -> int:
    """Return the session of a process; one that is gone has none."""
    with suppress(OSError):
        return os.getsid(process)
    return -1


def open_files(process: int) -> Iterator[str]:
    """Yield what a process has open, as links to it read."""
    with suppress(OSError):
        for descriptor in list(Path(f"/proc/{process}/fd").iterdir()):
            with suppress(OSError):  # closed since it was listed
                yield str(descriptor.readlink())


def listening_addresses(folder: Path) -> Sequence[str]:
    """Return where the processes that a shim started take connections, in order."""
    session = session_led(folder)
    if session is None:
        return ()
    listening = dict(listening_sockets())
    ours = (process for process in everybody() if session_of(process) == session)
    found = {listening[link] for process in ours for link in open_files(process) if link in listening}
    return [readable(address) for address in sorted(found, key=_in_order)][:ADDRESSES_MAX]


def takes_connections(folder: Path, host: str, port: int) -> bool | None:
    """Tell whether the processes that a shim started listen there; None: that cannot be seen.

    What listens at just that address has precedence over what does at every address.
    """
    listening = list(listening_sockets())
    if not sys.platform.startswith("linux") or not listening:
        return None
    session = session_led(folder)
    if session is None:
        return False  # its process does not exist yet
    there = [(link, address) for link, address in listening if port_of(address) == port]
    named = {f"{host}:{port}", f"[{host}]:{port}"}
    exactly = {link for link, address in there if readable(address) in named}
    sockets = exactly or {link for link, _ in there}
    ours = [process for process in everybody() if session_of(process) == session]
    if any(link in sockets for process in ours for link in open_files(process)):
        return True
    return None if any(_is_hidden(process) for process in ours) else False


def _is_hidden(process: int) -> bool:
    """Tell whether a process that is there does not show what it has open: it has raised its privileges."""
    try:
        os.listdir(f"/proc/{process}/fd")  # noqa: PTH208 - in haste
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _in_order(address: str) -> tuple[int, int, str]:
    return port_of(address), len(address), address
