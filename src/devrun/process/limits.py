"""Niceness and resource limits of a service's processes, in force before its program begins.

On Linux the program is started through a shell that stops itself (``kill -s STOP $$``); while it is
stopped devrun sets everything from outside, by prlimit(2) and setpriority(2), and then has it go on
and become the program. So there is no moment without limits, every resource can be set whatever the
shell's ``ulimit`` knows (dash has none for processes), and what the kernel refuses is an error of
the start instead of a line in the output. It takes 0.7 ms; util-linux's prlimit and nice take 1.6,
a Python program 7.7, and a ``preexec_fn`` forbids vfork and is unsafe beside threads.

Elsewhere nothing sets another process's limits, and a Python program does it for itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from devrun.errors import ExitCode, SpawnError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    import subprocess

    from devrun.policies import ProcessLimits

UNLIMITED = -1
"""A limit that is none (``RLIM_INFINITY``)."""

_HOLD = 'kill -s STOP "$$"; exec "$@"'

_BECOME = """
import os, signal, sys
try:
    os.nice(int(sys.argv[1]))
    import resource
    for each in filter(None, sys.argv[2].split(",")):
        name, soft, hard = each.split(":")
        resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (int(soft), int(hard)))
    for name in ("SIGPIPE", "SIGXFSZ"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execv(sys.argv[3], sys.argv[3:])
except (OSError, ValueError) as error:
    print("devrun: cannot set the limits or start the program:", error, file=sys.stderr)
    sys.exit(126)
"""


def problem_with(limits: ProcessLimits) -> str | None:
    """Return what makes limits impossible whoever asks for them, or None; changes nothing.

    What is possible but not allowed shows when the process is started.
    """
    if sys.platform == "win32":
        return "Windows has no niceness and no resource limits"
    if not -20 <= limits.nice <= 19:
        return f"nice = {limits.nice}: niceness goes from -20 to 19"
    known = _resources()
    for name, soft, hard in limits.resources:
        if name not in known:
            from devrun.config.nearest import choices

            return f'no such limit: "{name}"{choices(name, sorted(known))}'
        if min(soft, hard) < UNLIMITED:
            return f"limit {name}: {min(soft, hard)} is less than nothing; -1 means no limit"
        if hard != UNLIMITED and not UNLIMITED < soft <= hard:
            return f"limit {name}: the soft limit {_said(soft)} is above the hard one {hard}"
    return None


def starting_itself(limits: ProcessLimits) -> list[str]:
    """Return the beginning of a command line that sets its own limits, then becomes the rest."""
    resources = ",".join(f"{name}:{soft}:{hard}" for name, soft, hard in limits.resources)
    # Neither site-packages nor PYTHON* variables are to have a say.
    return [sys.executable, "-I", "-S", "-c", _BECOME, str(limits.nice), resources]


def wrapped(argv: Sequence[str], limits: ProcessLimits) -> list[str]:
    """Return what to execute in the place of ``argv``; ``impose`` is to follow at once.

    Args:
        argv: A path and arguments; the process becomes that program, and keeps its pid.

    Raises:
        SpawnError: The limits are impossible.
    """
    problem = problem_with(limits)
    if problem is not None:
        raise SpawnError(problem, ExitCode.USAGE)
    return _start(limits) + list(argv)


if sys.platform == "linux":

    def _start(_limits: ProcessLimits) -> list[str]:
        return ["/bin/sh", "-c", _HOLD, "sh"]

    def impose(popen: subprocess.Popen[bytes], limits: ProcessLimits) -> None:
        """Set a wrapped process's limits, and have it become its program.

        Waits for about 0.7 ms until the process has stopped itself.

        Raises:
            SpawnError: They are not allowed; the process has been killed and reaped.
        """
        import signal

        try:
            os.waitid(os.P_PID, popen.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
            for name, soft, hard in limits.resources:
                _limit(popen.pid, name, (soft, hard))
            if limits.nice:
                _be_nice(popen.pid, limits.nice)
        except SpawnError:
            popen.kill()
            popen.wait()
            raise
        popen.send_signal(signal.SIGCONT)

    def _limit(pid: int, name: str, values: tuple[int, int]) -> None:
        import resource

        number = _resources()[name]
        try:
            resource.prlimit(pid, number, values)
        except ProcessLookupError:
            return  # Somebody has killed it: its exit is the news.
        except (OSError, ValueError) as error:
            own = resource.getrlimit(number)[1]
            raise SpawnError(_refusal(name, values[1], own, error), ExitCode.USAGE) from error

    def _refusal(name: str, hard: int, own: int, error: OSError | ValueError) -> str:
        reason = (isinstance(error, OSError) and error.strerror) or str(error)
        if not isinstance(error, PermissionError):
            return f"cannot set limit {name} to {_said(hard)}: {reason.lower()}"
        most = _said(own)
        if name == "nofile" and own == UNLIMITED:
            most = "what /proc/sys/fs/nr_open says"
        return f"not permitted to set the hard limit {name} to {_said(hard)}; devrun's is {most}"

    def _be_nice(pid: int, increment: int) -> None:
        nice = max(-20, min(19, os.getpriority(os.PRIO_PROCESS, 0) + increment))
        try:
            os.setpriority(os.PRIO_PROCESS, pid, nice)
        except ProcessLookupError:
            return
        except PermissionError as error:
            message = f"nice = {increment}: not permitted to be less nice than devrun itself"
            raise SpawnError(message, ExitCode.USAGE) from error
        # Each service leads a session, and with autogrouping niceness counts only within one; that
        # of the whole session is set here (sched(7), "The autogroup feature").
        try:
            with open(f"/proc/{pid}/autogroup", "w", encoding="ascii") as file:
                file.write(str(nice))
        except OSError:
            return  # No such feature, or another session was set less than 0.1 s ago.

else:
    _start = starting_itself

    def impose(_popen: subprocess.Popen[bytes], _limits: ProcessLimits) -> None:
        """Do nothing: the process limits itself."""


def _resources() -> dict[str, int]:
    """Return the limits that the platform has: names as in ``ProcessLimits``, and numbers."""
    if sys.platform == "win32":
        return {}
    import resource

    prefix = "RLIMIT_"
    return {
        name.removeprefix(prefix).lower(): number
        for name, number in vars(resource).items()
        if name.startswith(prefix)
    }


def _said(limit: int) -> str:
    return "unlimited" if limit == UNLIMITED else str(limit)
