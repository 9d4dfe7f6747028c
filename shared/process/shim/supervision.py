"""Waiting on the child's behalf: for output, for its end, for whoever wants it to stop."""

import _signal as signal  # type: ignore[import-not-found]  # see child.py
import os
import select
import time

from .bell import FOREVER, Bell
from .child import Child, Spec, group_lives, reap, signal_group
from .disk import write_whole
from .record import Output

READ_BYTES = 64 * 1024  # what a Linux pipe holds
SETTLE_SECONDS = 0.1  # for output of processes that left the group and kept the pipe
KILLED_SECONDS = 1.0  # from SIGKILL until we believe that the rest of the group is unkillable
EMPTYING_SECONDS = 0.02  # between looks at a group that is being stopped
RESTART_SECONDS_MIN = 0.2
RESTART_SECONDS_MAX = 30.0
RESTART_RESETS_SECONDS = 60.0  # a child that lived this long starts over with the shortest delay


class Ended:
    """How one child ended."""

    def __init__(self, status: int, problem: str) -> None:
        self.code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
        self.signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
        self.problem = problem  # why it could not be started, or empty

    def __str__(self) -> str:
        if self.problem:
            return self.problem
        return f"ended by signal {self.signal}" if self.signal else f"exited with {self.code}"


class Shim:
    """One child at a time, and everything that is awaited on its behalf."""

    def __init__(self, spec: Spec, wake: int) -> None:
        self.bell = Bell()
        self.asked = False  # somebody wants it to stop
        self.stopping = ""  # why it is being ended: "stopped" or "limit"
        self.output = Output(spec.output_bytes_max, spec.keep_alive)
        self._spec = spec
        self._child: Child | None = None
        self._unborn = ""  # why there is none
        self._kill_at = FOREVER
        self._limit_at = time.monotonic() + spec.limit_seconds
        self._wake = wake
        self._pipe = -1
        self._poll = select.poll()
        self._poll.register(wake, select.POLLIN)

    def bear(self, waiting: Child | None, folder: str, unsynced: str) -> None:
        """Have a child make itself ready, the one that waits if it lives; it begins when it is let go."""
        self._child = waiting
        if waiting and waiting.tell(folder, unsynced, self._spec):
            return
        self.dismiss()
        try:
            self._child, self._unborn = Child(), ""
        except OSError as failure:
            self._child, self._unborn = None, f"cannot start a process: {failure.strerror}"
        else:
            self._child.tell(folder, unsynced, self._spec)

    def wait_ready(self) -> None:
        """Return when the child needs nothing more than to be let go."""
        if self._child:
            self._child.wait_ready()

    def let_go(self) -> None:
        """Let the child begin."""
        if self._child:
            self._child.let_go()

    def dismiss(self) -> None:
        """End the child before it has begun."""
        if self._child:
            self._child.dismiss()
            self._child = None

    def supervise(self) -> Ended:
        """See the child to its end; run a promoted service again and again, until it is to stop."""
        delay, restarts = RESTART_SECONDS_MIN, 0
        while True:
            born = time.monotonic()
            ended = self._see_out(self._child) if self._child else Ended(0, self._unborn)
            if ended.problem:
                self.output.notice(ended.problem)
            if self.stopping or not self._spec.keep_alive or not os.path.exists("promoted"):
                return ended
            if time.monotonic() - born >= RESTART_RESETS_SECONDS:
                delay = RESTART_SECONDS_MIN
            self.output.notice(f"the service {ended}; it is started again in {delay:g} s")
            self.bell.soon()
            if not self._pause(delay):
                self.stopping = "stopped"
                return ended
            delay = min(delay * 2, RESTART_SECONDS_MAX)
            restarts += 1
            self._note_restarts(restarts)
            self.bear(None, ".", "")
            self.wait_ready()
            self.let_go()

    def _note_restarts(self, number: int) -> None:
        try:
            write_whole("restarts", b"%d" % number)
        except OSError:
            pass  # a full disk keeps no service from being started again

    def _see_out(self, child: Child) -> Ended:
        self._pipe = child.out
        self._poll.register(self._pipe, select.POLLIN)
        status = None
        while status is None or self._emptying(child.pid):
            self._turn(self._next_look(status))
            status = reap(child.pid, group_too=not self.stopping) if status is None else status
            if status is None or self.stopping:
                self._stop_if_due(child.pid)
        self._settle(child.pid)
        return Ended(status, child.problem())

    def _next_look(self, status: int | None) -> float:
        now = time.monotonic()
        if status is not None or now >= self._kill_at:
            return now + EMPTYING_SECONDS
        return self._kill_at if self.stopping else self._limit_at

    def _emptying(self, child: int) -> bool:
        """Tell whether what the child started is still using its grace to end."""
        patient = time.monotonic() < self._kill_at + KILLED_SECONDS
        return bool(self.stopping) and patient and group_lives(child)

    def _turn(self, until: float) -> None:
        """Wait for output, a signal or `until`, and take what came."""
        seconds = min(until, self.bell.due_at()) - time.monotonic()
        timeout = None if seconds == FOREVER else int(min(max(seconds, 0), 1e6) * 1000 + 0.999)
        for fd, _ in self._poll.poll(timeout):
            if fd == self._wake:
                os.read(self._wake, 4096)
            else:
                self._pump()
        self.bell.tick()

    def _pump(self) -> None:
        try:
            chunk = os.read(self._pipe, READ_BYTES)
        except BlockingIOError:
            return
        if chunk:
            self.output.feed(chunk)
            self.bell.soon()
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        self._poll.unregister(self._pipe)
        os.close(self._pipe)
        self._pipe = -1

    def _stop_if_due(self, child: int) -> None:
        now = time.monotonic()
        if not self.stopping and (self.asked or now >= self._limit_at):
            self.stopping = "stopped" if self.asked else "limit"
            self._kill_at = now + self._spec.grace_seconds
            signal_group(child, signal.SIGTERM)
            signal_group(child, signal.SIGCONT)  # one that is suspended must be able to hear it
        elif now >= self._kill_at:
            signal_group(child, signal.SIGKILL)

    def _settle(self, child: int) -> None:
        """Take what the dead had still to say; whoever left the group is not waited for long.

        What lies in the pipe by then is taken however late it is: a turn takes as much as a pipe holds.
        """
        until = time.monotonic() + SETTLE_SECONDS
        late = False
        while not late and (self._pipe >= 0 or group_lives(child)):
            now = time.monotonic()
            late = now >= until
            self._turn(now + 0.002)
        if self._pipe >= 0:
            self._hang_up()
        self.output.end()

    def _pause(self, seconds: float) -> bool:
        """Let time pass; return False as soon as it is to stop."""
        until = time.monotonic() + seconds
        while not self.asked and time.monotonic() < until:
            self._turn(until)
        return not self.asked
