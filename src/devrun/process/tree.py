"""Which processes descend from which, and signalling them safely.

devrun is a child subreaper, so every descendant, also one that called ``setsid`` or forked twice,
is found by walking down from devrun. On Linux that reads ``/proc`` (``proc(5)``); elsewhere psutil
is asked, and a process that has left the tree cannot be found.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """A process as it was when the tree was read.

    Attributes:
        start: When it started, in the platform's own units; tells a reused pid.
        state: One letter as in ``ps``: R, S, D, T, Z…
    """

    pid: int
    parent: int
    group: int
    session: int
    start: float
    state: str

    @property
    def is_zombie(self) -> bool:
        """True once it has ended and only waits to be reaped."""
        return self.state in ("Z", "X")


if sys.platform == "linux":

    def look_up(pid: int) -> Process | None:
        """Return what ``/proc/PID/stat`` says, or None if there is no such process."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                stat = file.read()
        except (FileNotFoundError, ProcessLookupError):
            return None
        # The second field is the name in brackets and may hold anything, brackets included.
        fields = stat[stat.rindex(b")") + 2 :].split()
        return Process(
            pid=pid,
            parent=int(fields[1]),
            group=int(fields[2]),
            session=int(fields[3]),
            start=float(fields[19]),
            state=fields[0].decode(),
        )

    def children(pid: int) -> list[int]:
        """Return the pids of the direct children of a process, zombies included."""
        found: list[int] = []
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                    found += map(int, file.read().split())
        except (FileNotFoundError, ProcessLookupError):
            if not os.path.exists("/proc/self/task/" + str(os.getpid()) + "/children"):
                return _children_by_scan(pid)
        return found

    def _children_by_scan(pid: int) -> list[int]:
        """The same for a kernel without CONFIG_PROC_CHILDREN."""
        every = (look_up(int(name)) for name in os.listdir("/proc") if name.isdigit())
        return [process.pid for process in every if process is not None and process.parent == pid]

    def descendants(pid: int) -> list[Process]:
        """Return every living descendant, parents before children; zombies are left out."""
        found: list[Process] = []
        seen = {pid}
        queue = [pid]
        while queue:
            for child in children(queue.pop()):
                if child in seen:
                    continue
                seen.add(child)
                queue.append(child)
                process = look_up(child)
                if process is not None and not process.is_zombie:
                    found.append(process)
        return found

    def send(process: Process, number: int) -> bool:
        """Send a signal to exactly that process; False if it is gone or may not be signalled.

        Through a pidfd, with the start time compared after it was opened: the number may belong
        to another process by now.
        """
        import signal

        try:
            pidfd = os.pidfd_open(process.pid)
        except ProcessLookupError:
            return False
        except OSError:
            return _send_by_pid(process, number)
        try:
            now = look_up(process.pid)
            if now is None or now.start != process.start:
                return False
            signal.pidfd_send_signal(pidfd, number)
        except (ProcessLookupError, PermissionError):
            return False
        finally:
            os.close(pidfd)
        return True

    def _send_by_pid(process: Process, number: int) -> bool:
        """The same before Linux 5.3, or where a sandbox refuses pidfds."""
        now = look_up(process.pid)
        if now is None or now.start != process.start:
            return False
        try:
            os.kill(process.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def ignores(pid: int, number: int) -> bool:
        """Whether a process ignores a signal."""
        return _is_in_mask(pid, number, b"SigIgn")

    def _is_in_mask(pid: int, number: int, names: bytes) -> bool:
        """Whether a signal is in one of the masks of ``/proc/PID/status``; bit 0 is signal 1.

        Args:
            names: A regular expression.
        """
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                masks = re.findall(rb"^(?:%b):\s*([0-9a-f]+)" % names, file.read(), re.MULTILINE)
        except OSError:
            return False
        return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)

    def is_out_of_reach(process: Process) -> bool:
        """Whether SIGKILL does nothing to it now.

        It may not be sent (``kill(2)``: EPERM), or it has been, and the process waits for the
        kernel in a way that nothing can interrupt (state D, ``proc(5)``).
        """
        import signal

        now = look_up(process.pid)
        if now is None or now.start != process.start:
            return False
        if _is_forbidden(process.pid):
            return True
        return now.state == "D" and _is_in_mask(process.pid, signal.SIGKILL, b"SigPnd|ShdPnd")

    def variable(pid: int, *names: bytes) -> bytes:
        """Return the first that is set of some variables that a process was started with.

        Nothing if none of them is, or the process is gone.
        """
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = b"\0" + file.read()
        except OSError:
            return b""
        for name in names:
            start = environment.find(b"\0" + name + b"=")
            if start >= 0:
                return environment[start + len(name) + 2 :].split(b"\0", 1)[0]
        return b""

    def command_line(pid: int) -> str:
        """Return a process's command line for messages; empty if it is gone."""
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                return file.read().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""

else:

    def look_up(pid: int) -> Process | None:
        """Return what the system says of a process, or None if there is none of that number."""
        import psutil

        try:
            return _from_psutil(psutil.Process(pid))
        except psutil.Error:
            return None

    def _from_psutil(process: psutil.Process) -> Process:
        pid = process.pid
        states = {"zombie": "Z", "stopped": "T"}
        group, session = _group_and_session(pid)
        return Process(
            pid=pid,
            parent=process.ppid(),
            group=group,
            session=session,
            start=process.create_time(),
            state=states.get(process.status(), "S"),
        )

    def _group_and_session(pid: int) -> tuple[int, int]:
        if sys.platform == "win32":
            return pid, pid
        try:
            return os.getpgid(pid), os.getsid(pid)
        except OSError:
            return 0, 0

    def children(pid: int) -> list[int]:
        """Return the pids of the direct children of a process, zombies included."""
        import psutil

        try:
            return [child.pid for child in psutil.Process(pid).children()]
        except psutil.Error:
            return []

    def descendants(pid: int) -> list[Process]:
        """Return every living descendant, parents before children; zombies are left out."""
        import psutil

        try:
            below = psutil.Process(pid).children(recursive=True)
        except psutil.Error:
            return []
        found = (look_up(child.pid) for child in below)
        return [process for process in found if process is not None and not process.is_zombie]

    def send(process: Process, number: int) -> bool:
        """Send a signal to exactly that process; False if it is gone or may not be signalled."""
        now = look_up(process.pid)
        if now is None or now.start != process.start:
            return False
        try:
            os.kill(process.pid, number)
        except OSError:
            return False
        return True

    def ignores(_pid: int, _number: int) -> bool:
        """Whether a process is known to ignore a signal; only Linux tells."""
        return False

    def is_out_of_reach(process: Process) -> bool:
        """Whether SIGKILL does nothing to it now: it may not be sent (``kill(2)``: EPERM)."""
        now = look_up(process.pid)
        return now is not None and now.start == process.start and _is_forbidden(process.pid)

    def variable(pid: int, *names: bytes) -> bytes:
        """Return the first that is set of some variables that a process was started with."""
        import psutil

        try:
            environment = psutil.Process(pid).environ()
        except psutil.Error:
            return b""
        values = (environment.get(os.fsdecode(name)) for name in names)
        return os.fsencode(next((value for value in values if value is not None), ""))

    def command_line(pid: int) -> str:
        """Return a process's command line for messages; empty if it is gone."""
        import psutil

        try:
            return " ".join(psutil.Process(pid).cmdline())
        except psutil.Error:
            return ""


def _is_forbidden(pid: int) -> bool:
    """Whether the system does not let devrun signal a process."""
    if sys.platform == "win32":
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return False


def described(process: Process) -> str:
    """Return what tells people which process it is, and why it may still be there, in one line."""
    command = command_line(process.pid)
    shown = "".join(char if char.isprintable() else "?" for char in command)
    now = look_up(process.pid) or process
    forbidden = ", which devrun may not signal" if _is_forbidden(process.pid) else ""
    return f"pid {process.pid} ({shown or 'no command line'}), state {now.state}{forbidden}"


def reap_orphans(managed: set[int]) -> None:
    """Reap ended processes that were not started by us but handed to us as subreaper or PID 1.

    Children in ``managed`` are left to whoever waits for them.
    """
    if sys.platform == "win32":
        return
    for pid in children(os.getpid()):
        if pid not in managed:
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue
