"""The child: what to run, starting it, and its process group."""

import _signal as signal  # type: ignore[import-not-found]  # `signal` without its enums: 5 ms less
import os
import resource

from .disk import read, redirect, sync, write_whole

READY = b"."
LENGTH_BYTES = 8


class Spec:
    """What to run, as `attempt.encode` wrote it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        fields = [field.partition(b"=") for field in content.split(b"\0")[:-1]]
        one = {name: value for name, _, value in fields}
        env = [value.partition(b"=") for name, _, value in fields if name == b"env"]
        self.argv = [value for name, _, value in fields if name == b"arg"]
        self.env = {name: value for name, _, value in env}
        self.cwd = one[b"cwd"]
        self.output_bytes_max = int(one[b"output_bytes_max"])
        self.grace_seconds = float(one[b"grace_seconds"])
        self.limit_seconds = float(one[b"limit_seconds"])
        self.keep_alive = one[b"keep_alive"] == b"1"
        self.file_bytes_max = int(one[b"file_bytes_max"])  # below zero: no limit
        self.open_files_max = int(one[b"open_files_max"])
        if one[b"end"] != b"1":
            raise ValueError("the spec is cut short")


# What a process can be made to ignore: whoever started Windlass with `nohup` or as a shell's background
# job did not mean that builds and releases cannot be interrupted. The server forgets those, and a child what
# has changed since.
_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)  # it ignores them
IGNORABLE = tuple(set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP, *_BY_PYTHON})
_CHANGED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, *_BY_PYTHON)


class Child:
    """A process that makes itself ready for the command, and becomes it when it is let go.

    It is forked before the claim is on the disk, even before there is a folder, and gets ready while the
    disk works. Should its shim be killed before it is let go, it ends.
    """

    def __init__(self) -> None:
        """Fork it in a session of its own."""
        pipes: list[int] = []
        try:
            for _ in range(3):
                pipes += os.pipe()
            self.out, out_end, self.report, report_end, gate_end, self._gate = pipes
            os.set_blocking(self.out, False)
            self.pid = fork()
        except OSError:
            for end in pipes:
                os.close(end)
            raise
        if self.pid == 0:
            become((out_end, report_end, gate_end), self._gate)
        for end in (out_end, report_end, gate_end):
            os.close(end)
        self._first_word = b""

    def tell(self, folder: str, unsynced: str, spec: Spec) -> bool:
        """Say what it will run, and what to put on the disk first, if anything; False: it is dead."""
        order = b"\0".join((os.fsencode(folder), os.fsencode(unsynced), spec.content))
        order = len(order).to_bytes(LENGTH_BYTES, "big") + order
        try:
            while order:
                order = order[os.write(self._gate, order) :]
        except BrokenPipeError:
            return False
        return True

    def wait_ready(self) -> None:
        """Return when its group exists and what it was to put on the disk is there, or it cannot be."""
        self._first_word = os.read(self.report, 1)

    def let_go(self) -> None:
        """Have it run the command."""
        try:
            os.write(self._gate, b"!")
        except BrokenPipeError:
            pass  # it has ended, and said why
        os.close(self._gate)

    def dismiss(self) -> None:
        """Have it end without having run anything."""
        for end in (self._gate, self.out, self.report):
            os.close(end)
        os.waitpid(self.pid, 0)

    def problem(self) -> str:
        """Return what it could not do, once it has ended."""
        word = self._first_word.removeprefix(READY) + os.read(self.report, 512)
        os.close(self.report)
        return word.decode("utf-8", "replace")


def fork() -> int:
    """Fork a process that begins with SIGTERM blocked: it must not lose one to handlers of ours."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    child = -1
    try:
        child = os.fork()
        return child
    finally:
        if child:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])


def become(ends: tuple[int, int, int], gate: int) -> None:
    """Turn this process, just forked, into one that is asked for; never return."""
    out, report, gate_end = ends
    what = "cannot make a session"
    try:
        os.close(gate)  # else its shim's death would not be heard at the other end
        stand_apart(out)
        what = "cannot note the process group"
        group = f"{os.getpid()} {identity(os.getpid())}\n".encode()
        folder, unsynced, spec = await_order(gate_end)
        os.chdir(folder)
        write_whole("group", group)
        what = "cannot put its folder on the disk"
        if unsynced:
            sync(unsynced)
        os.write(report, READY)
        what = "cannot enter " + repr(os.fsdecode(spec.cwd))[:200]
        os.chdir(spec.cwd)
        what = "cannot limit resources"
        limit(spec)
        what = "cannot run " + repr(os.fsdecode(spec.argv[0]))[:200]
        if os.read(gate_end, 1):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
            os.execvpe(spec.argv[0], spec.argv, spec.env)
    except (OSError, ValueError) as problem:
        os.write(report, f"{what}: {getattr(problem, 'strerror', None) or problem}".encode())
    finally:
        os._exit(127)


def stand_apart(out: int) -> None:
    """Have a session, signals and three open files of its own."""
    os.setsid()
    forget_signals(_CHANGED)
    redirect("/dev/null", os.O_RDONLY, 0)
    os.dup2(out, 1)
    os.dup2(out, 2)


def await_order(gate: int) -> tuple[str, str, Spec]:
    """Return the folder, what to put on the disk, and what to run; end if the shim has ended."""
    length = int.from_bytes(read_exactly(gate, LENGTH_BYTES), "big")
    folder, unsynced, content = read_exactly(gate, length).split(b"\0", 2)
    return os.fsdecode(folder), os.fsdecode(unsynced), Spec(content)


def read_exactly(descriptor: int, length: int) -> bytes:
    """Return so many bytes; end if there are none to come."""
    content = b""
    while len(content) < length:
        piece = os.read(descriptor, length - len(content))
        if not piece:
            os._exit(127)
        content += piece
    return content


def forget_signals(numbers: tuple[int, ...]) -> None:
    """Have these signals do what they do by themselves."""
    signal.set_wakeup_fd(-1)
    for number in numbers:
        signal.signal(number, signal.SIG_DFL)


def limit(spec: Spec) -> None:
    """Lower this process's limits; none is ever raised past what we were given."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for kind, wanted in (
        (resource.RLIMIT_FSIZE, spec.file_bytes_max),
        (resource.RLIMIT_NOFILE, spec.open_files_max),
    ):
        if wanted >= 0:
            hard = resource.getrlimit(kind)[1]
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(kind, (value, value))


def identity(pid: int) -> str:
    """Return what tells the process from a later one with its number: its start and the boot."""
    try:
        started = read(f"/proc/{pid}/stat").rpartition(b")")[2].split()[19].decode()
        return f"{started} {home()}"
    except OSError:
        return "- -"  # not Linux


_home: list[str] = []  # once it was asked for: a process never changes it


def home() -> str:
    """Return the boot and the namespace that numbers of processes belong to; raises `OSError` off Linux."""
    if not _home:
        boot = read("/proc/sys/kernel/random/boot_id").strip().decode()  # bytes: no codec to be imported
        _home.append(f"{boot}:{os.readlink('/proc/self/ns/pid')}")
    return _home[0]


def signal_group(group: int, number: int) -> None:
    """Send a signal to every member; no member, no matter."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        pass


def group_lives(group: int) -> bool:
    """Tell whether anybody is left in it whom we may signal."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    # The dead count until init reaps them, and in a container there may be no init.
    return not os.path.exists("/proc/self/stat") or any(group == g for _, g, _ in living())


def living() -> list[tuple[int, int, int]]:
    """Return every process that is not a zombie, with its group and its session: Linux only."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                fields = read(f"/proc/{name}/stat").rpartition(b")")[2].split()
            except OSError:
                continue  # it is gone, or none of ours
            if fields[0] not in {b"Z", b"X"}:
                found.append((int(name), int(fields[2]), int(fields[3])))
    return found


def reap(child: int, group_too: bool) -> int | None:  # noqa: FBT001 - named at its one call
    """Return the child's wait status once it has ended; first end what it left in its group.

    While the dead leader is not reaped its number cannot pass to another group.
    """
    if hasattr(os, "waitid"):
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        if group_too:
            signal_group(child, signal.SIGKILL)
        return os.waitpid(child, 0)[1]
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        return None
    if group_too:
        signal_group(child, signal.SIGKILL)
    return status
