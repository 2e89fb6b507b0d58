"""Niceness and resource limits of real processes, and what is said where they cannot be."""

from __future__ import annotations

import json
import os
import resource
import select
import subprocess
import sys

import pytest

from devrun.errors import SpawnError
from devrun.policies import ProcessLimits
from devrun.process.limits import impose, problem_with, starting_itself, wrapped
from devrun.process.spawn import Inherits, Stdio, spawn

TELL = """
import json, os, resource, signal
print(json.dumps({
    "pid": os.getpid(), "session": os.getsid(0), "nice": os.getpriority(os.PRIO_PROCESS, 0),
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource)
               if n.startswith("RLIMIT_")},
    "pipe": signal.getsignal(signal.SIGPIPE) != signal.SIG_IGN,
    "descriptors": sorted(os.listdir("/proc/self/fd"))[:-1],
    "autogroup": open("/proc/self/autogroup").read() if os.path.exists("/proc/self/autogroup")
                 else "",
}))
"""
# Python ignores SIGPIPE itself; what it got is in the kernel's list.
TELL = TELL.replace(
    "signal.getsignal(signal.SIGPIPE) != signal.SIG_IGN",
    'next(int(l.split()[1], 16) for l in open("/proc/self/status") if l.startswith("SigIgn"))',
)
LIMITS = ProcessLimits(
    nice=3,
    resources=(("nofile", 64, 128), ("core", 0, 0), ("sigpending", 100, 200), ("as", -1, -1)),
)


@pytest.fixture
def begin():
    started = []

    def start(argv, limits):
        popen = subprocess.Popen(
            wrapped(argv, limits),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        started.append(popen)
        impose(popen, limits)
        return popen

    yield start
    for popen in started:
        popen.kill()
        popen.wait()
        popen.stdout.close()


def told(popen) -> dict:
    return json.loads(popen.stdout.read())


def plain(argv) -> dict:
    return json.loads(subprocess.check_output(argv, stdin=subprocess.DEVNULL))


def test_the_program_begins_with_its_limits_and_keeps_everything_else(begin):
    popen = begin([sys.executable, "-c", TELL], LIMITS)
    program, without = told(popen), plain([sys.executable, "-c", TELL])
    limits = program["limits"]
    assert limits["RLIMIT_NOFILE"] == [64, 128]
    assert limits["RLIMIT_CORE"] == [0, 0]
    assert limits["RLIMIT_SIGPENDING"] == [100, 200]
    assert limits["RLIMIT_AS"] == [-1, -1]
    assert limits["RLIMIT_STACK"] == without["limits"]["RLIMIT_STACK"]
    assert program["nice"] == min(19, without["nice"] + 3)
    assert program["pid"] == program["session"] == popen.pid
    for same in ("pipe", "descriptors"):
        assert program[same] == without[same]


def test_children_have_the_limits_too(begin):
    program = told(begin(["/bin/sh", "-c", f"{sys.executable} -c '{TELL}'; true"], LIMITS))
    assert program["limits"]["RLIMIT_NOFILE"] == [64, 128]
    assert program["nice"] == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)


def test_niceness_counts_between_sessions(begin):
    """With autogrouping, the niceness of a process alone would have no effect."""
    nice = str(min(19, os.getpriority(os.PRIO_PROCESS, 0) + 4))
    expected = nice if os.path.exists("/proc/self/autogroup") else ""
    for _ in range(200):  # Without privileges the kernel takes one every 0.1 s only.
        autogroup = told(begin([sys.executable, "-c", TELL], ProcessLimits(nice=4)))["autogroup"]
        if autogroup.rpartition(" ")[2].strip() == expected:
            return
    pytest.fail(f"the session has {autogroup!r}")


@pytest.mark.parametrize("stdio", [Stdio.PIPE, Stdio.PTY])
def test_a_service_has_its_limits_on_a_pipe_and_on_a_terminal(stdio, tmp_path):
    child = spawn(
        ["/bin/sh", "-c", "ulimit -n; nice; test -t 1 && echo terminal; echo end"],
        cwd=str(tmp_path),
        env=dict(os.environ),
        stdio=stdio,
        inherits=Inherits(limits=LIMITS),
    )
    text = b""
    while not text.endswith(b"end\n"):
        assert select.select([child.output], [], [], 20)[0]
        text += os.read(child.output, 4096)
    child.popen.wait()
    words = text.decode().split()[:-1]
    for descriptor in {child.output, child.terminal} - {None}:
        os.close(descriptor)
    nice = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)
    assert words == ["64", str(nice), *(["terminal"] if stdio is Stdio.PTY else [])]


def test_devruns_own_limits_stay(begin):
    before = resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(os.PRIO_PROCESS, 0)
    begin(["/bin/true"], LIMITS)
    assert before == (resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(0, 0))


def test_arguments_are_passed_on_as_they_are(begin):
    words = ["", "a b", "$HOME", "'", '"', "-n", "é\n", "$(id)"]
    code = "import json, sys; print(json.dumps(sys.argv[1:]))"
    popen = begin([sys.executable, "-c", code, *words], LIMITS)
    assert json.loads(popen.stdout.read()) == words


def test_the_kernel_holds_the_program_to_its_limits(begin):
    code = "import os\ntry:\n while True: os.open('/dev/null', 0)\nexcept OSError as e: print(e)"
    popen = begin([sys.executable, "-c", code], ProcessLimits(resources=(("nofile", 32, 32),)))
    assert b"Too many open files" in popen.stdout.read()


def test_what_is_not_permitted_is_an_error_of_the_start_and_nothing_ran(begin, tmp_path):
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        too_many = int(file.read()) + 1  # Not even root may have more.
    flag = tmp_path / "ran"
    limits = ProcessLimits(resources=(("nofile", 100, too_many),))
    with pytest.raises(SpawnError, match="not permitted to set the hard limit nofile to") as caught:
        begin(["/bin/sh", "-c", f"touch {flag}"], limits)
    assert "\n" not in str(caught.value)
    assert str(too_many) in str(caught.value)
    assert not flag.exists()


def test_a_process_that_was_not_permitted_its_limits_is_reaped():
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        limits = ProcessLimits(resources=(("nofile", 1, int(file.read()) + 1),))
    popen = subprocess.Popen(wrapped(["/bin/true"], limits))
    with pytest.raises(SpawnError):
        impose(popen, limits)
    assert not os.path.exists(f"/proc/{popen.pid}")
    assert popen.returncode == -9


def test_a_process_that_was_killed_at_once_is_no_error():
    popen = subprocess.Popen(wrapped(["/bin/true"], LIMITS))
    popen.kill()
    os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
    impose(popen, LIMITS)
    assert popen.wait() == -9


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ProcessLimits(nice=20), "nice = 20: niceness goes from -20 to 19"),
        (
            ProcessLimits(resources=(("nofiles", 1, 1),)),
            'no such limit: "nofiles"; did you mean "nofile"?',
        ),
        (
            ProcessLimits(resources=(("nofile", 9, 8),)),
            "limit nofile: the soft limit 9 is above the hard one 8",
        ),
        (
            ProcessLimits(resources=(("nofile", -1, 8),)),
            "limit nofile: the soft limit unlimited is above the hard one 8",
        ),
        (
            ProcessLimits(resources=(("core", -2, 8),)),
            "limit core: -2 is less than nothing; -1 means no limit",
        ),
    ],
)
def test_impossible_limits_are_refused_before_anything_starts(limits, message):
    assert problem_with(limits).startswith(message)
    with pytest.raises(SpawnError):
        wrapped(["/bin/true"], limits)


@pytest.mark.parametrize("limits", [ProcessLimits(), LIMITS, ProcessLimits(nice=-20)])
def test_possible_limits_have_no_problem(limits):
    assert problem_with(limits) is None


def test_a_program_can_also_set_its_limits_itself():
    """What is done where nobody can set another process's limits."""
    argv = [*starting_itself(LIMITS), sys.executable, "-c", TELL]
    program, without = plain(argv), plain([sys.executable, "-c", TELL])
    assert program["limits"]["RLIMIT_NOFILE"] == [64, 128]
    assert program["limits"]["RLIMIT_SIGPENDING"] == [100, 200]
    assert program["nice"] == min(19, without["nice"] + 3)
    for same in ("pipe", "descriptors"):
        assert program[same] == without[same]


def test_a_program_that_may_not_set_its_limits_does_not_begin():
    with open("/proc/sys/fs/nr_open", encoding="ascii") as file:
        limits = ProcessLimits(resources=(("nofile", 1, int(file.read()) + 1),))
    argv = [*starting_itself(limits), "/bin/echo", "began"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (126, "")
    assert "devrun: cannot set the limits" in done.stderr
    assert len(done.stderr.splitlines()) == 1
