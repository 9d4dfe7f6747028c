"""The whole of it: wait for a folder, claim it, run what it says, write down how that ended."""

import _signal as signal  # type: ignore[import-not-found]  # see child.py
import fcntl
import os
import time

from .bell import Bell
from .child import Child, Spec
from .disk import FDS_MAX, READ_BYTES, forget, read, redirect, sync, write_whole
from .supervision import Ended, Shim

EXIT_BYTES = 4096  # one block, reserved before the start: a full disk cannot lose the outcome
MESSAGE_CHARACTERS_MAX = 500  # six bytes each, escaped, it still fits in there
EXIT_RETRY_SECONDS = 0.5


def main() -> None:
    """Get ready, wait for a folder, and do what it takes."""
    leave_server()
    wake = listen()
    child = bear()
    folder = await_folder()
    if folder:
        redirect(f"{folder}/shim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 2)
        run(folder, wake, child)
    elif child:
        child.dismiss()


def leave_server() -> None:
    """Have nothing of the server's but the pipe that the folder comes through."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    redirect("/dev/null", os.O_WRONLY, 1)
    os.closerange(3, FDS_MAX)


def bear() -> Child | None:
    """Fork a child ahead, if there is room for one now."""
    try:
        return Child()
    except OSError:
        return None


def await_folder() -> str:
    """Return the folder once it is known; nothing, if the server has ended."""
    folder = b""
    while not folder.endswith(b"\0"):
        piece = os.read(0, READ_BYTES)
        if not piece:
            return ""
        folder += piece
    redirect("/dev/null", os.O_RDONLY, 0)
    return os.fsdecode(folder[:-1])


def run(folder: str, wake: int, child: Child | None) -> None:
    """Claim the folder, run what it says, write down how that ended."""
    os.chdir(folder)
    spec = lock_folder()
    if spec is None:
        if child:
            child.dismiss()
        if os.path.exists("claimed"):
            forget_specs()
        return
    shim = Shim(spec, wake)

    def ask(*_: object) -> None:
        shim.asked = True

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    os.mkdir("claimed")
    shim.bear(child, folder, "..")
    sync(".")  # a claim that a power cut undoes would be a second start
    shim.wait_ready()  # and the folder's own name is on the disk
    started_at = time.time()
    # In this order: whoever makes `stop` signals us afterwards if it sees the claim.
    begun = not (shim.asked or os.path.exists("stop"))
    if begun:
        shim.let_go()
    else:
        shim.dismiss()
    shim.bell.ring()
    forget_specs()
    ended = shim.supervise() if begun else None
    write_exit(verdict(shim, ended, started_at), shim.bell)


def lock_folder() -> Spec | None:
    """Lock the folder for this shim and read what to run; None: it is or was another one's."""
    lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)  # held until we end
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    if os.path.exists("claimed"):
        return None
    spec = Spec(read("spec"))
    reserve()
    write_whole("pid", b"%d %f\n" % (os.getpid(), spec.grace_seconds))
    return spec


def reserve() -> None:
    """Keep room for the outcome."""
    fd = os.open("exit.reserved", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, b" " * EXIT_BYTES) < EXIT_BYTES:
            raise OSError("no room for the outcome")
    finally:
        os.close(fd)


def forget_specs() -> None:
    """Remove what is to be run, which may hold secrets: also what killed workers half wrote of it."""
    for name in os.listdir("."):
        if name.startswith("spec"):
            forget(name)


def listen() -> int:
    """Have every signal we handle wake the poll; return the end of the pipe that it reads."""
    wake, wake_end = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(wake_end, False)
    signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # the byte in the pipe is all it is for
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return wake


def verdict(shim: Shim, ended: Ended | None, started_at: float) -> bytes:
    """Return the outcome as it stands in the exit file."""
    reason, message = "exited", ""
    if ended is None:
        reason, message = "stopped", "stopped before it started"
    elif shim.stopping:
        reason = shim.stopping
        message = f"{'stopped' if reason == 'stopped' else 'its time limit passed'}; {ended}"
    elif ended.problem:
        reason, message = "not_startable", ended.problem
    started = ended is not None and not ended.problem
    fields = {
        "code": "null" if ended is None or not started or ended.code is None else str(ended.code),
        "signal": "null" if ended is None or ended.signal is None else str(ended.signal),
        "reason": quoted(reason),
        "started_at": f"{started_at:.6f}",
        "finished_at": f"{max(started_at, time.time()):.6f}",
        "message": quoted(message[:MESSAGE_CHARACTERS_MAX]),
    }
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in fields.items()) + "}").encode()


def quoted(text: str) -> str:
    """Return a JSON string; `json` would cost ten milliseconds."""
    plain = [c if " " <= c <= "~" and c not in '"\\' else f"\\u{min(ord(c), 0xFFFD):04x}" for c in text]
    return '"' + "".join(plain) + '"'


def write_exit(body: bytes, bell: Bell) -> None:
    """Put the outcome down, however long the disk refuses it; only a removed folder ends that."""
    while not removed():
        try:
            fd = os.open("exit.reserved", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if os.write(fd, body.ljust(EXIT_BYTES)) < EXIT_BYTES:
                    raise OSError("no room for the outcome")
                os.fsync(fd)
            finally:
                os.close(fd)
            os.rename("exit.reserved", "exit")
            bell.ring()
            sync(".")
        except OSError:
            time.sleep(EXIT_RETRY_SECONDS)
        else:
            return


def removed() -> bool:
    """Tell whether somebody removed the folder under us."""
    try:
        return os.stat(".").st_nlink == 0
    except FileNotFoundError:
        return True
