"""``devrun attach``: a service's terminal in another one, of which nothing is left afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

import pytest
from api import sockets_in
from running import program, until
from supervised import python, stop, toml
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, RejectConnection, Request, TextMessage

from devrun.process.unix_socket import connect_to

DETACH = b"\x1d"
SCREEN = ("?1049", "?25", "?1000", "?2004")
CONSOLE = """
    print("a console", flush=True)
    for line in iter(sys.stdin.readline, ""):
        if line == "bye\\n":
            sys.exit(7)
        print("you said " + line.strip(), os.get_terminal_size(0).lines, flush=True)
"""


@pytest.fixture
def runtime():
    """Return a runtime folder whose path has room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(devrun, runtime, tmp_path):
    """Start a devrun of the test's own runtime folder."""

    def do(*words, terminal=None):
        env = {"XDG_RUNTIME_DIR": str(runtime), "PYTHON_BASIC_REPL": "1"}
        return devrun(*words, terminal=terminal, env_added=env)

    return do


@pytest.fixture
def console(start, tmp_path):
    """Start a run with a service that can be typed at, and one that cannot."""
    folder = toml(
        tmp_path,
        f"""
        [services.console]
        command = {python(CONSOLE)}
        tty = true

        [services.plain]
        command = {python("print('plain', flush=True); signal.pause()")}
        """,
    )
    assert folder == tmp_path
    return start("--no-color").wait_for("[console] a console", "[plain  ] plain")


@pytest.fixture
def full_screen(start, tmp_path):
    """Start a run with a full-screen program."""
    toml(
        tmp_path,
        f"""
        [services.editor]
        command = "{program("full_screen")}"
        tty = true

        [services.other]
        command = "sleep 100"
        """,
    )
    return start("--no-color").wait_for("FULL 24x")


def attributes(run):
    return termios.tcgetattr(run.terminal)


def attach(start, name, *words, size=(24, 80), said="attached to "):
    """Attach in a terminal; return that once it shows the service."""
    return start("attach", name, *words, terminal=size).wait_for(said)


# -- line by line -----------------------------------------------------------------------------


def test_what_was_said_last_is_there_and_what_is_typed_arrives(start, console):
    run = attach(start, "console").wait_for("a console")
    run.type(b"hello\r").wait_for("you said hello 24")
    until(lambda: any("you said" in line for line in run.display()), "the screen")
    assert run.display()[1:4] == ["a console", "hello", "you said hello 24"]
    run.type(DETACH)
    assert run.wait() == 0
    assert "detached from console" in run.text
    console.wait_for("[console] you said hello")
    stop(console)


def test_a_prompt_is_there(start, tmp_path):
    toml(tmp_path, f'[services.repl]\ncommand = "{sys.executable} -iqc 1"\ntty = true\n')
    devrun = start("--no-color").wait_for(">>> ")
    run = attach(start, "repl").wait_for(">>> ")
    run.type(b"6*7\r").wait_for("42\r\n>>> ")
    run.type(DETACH)
    assert run.wait() == 0
    again = attach(start, "repl").wait_for(">>> 6*7", "42\r\n>>> ")
    again.type(b"\x04")
    assert again.wait() == 0, "the exit code of the service"
    assert "repl: exit code 0" in again.text
    assert devrun.wait() == 0


def test_ctrl_c_is_for_the_program(start, tmp_path):
    code = """
        signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
        print("up", flush=True)
        while True:  # A pause() that begins just after the signal would never end.
            signal.sigtimedwait([], 0.1)
    """
    toml(tmp_path, f"[services.app]\ncommand = {python(code)}\ntty = true\n")
    devrun = start("--no-color").wait_for("up")
    run = attach(start, "app")
    run.type(b"\x03").wait_for("interrupted")
    run.type(DETACH)
    assert run.wait() == 0
    stop(devrun)


def test_the_exit_code_is_the_services_and_its_end_is_told(start, console):
    run = attach(start, "console").wait_for("a console")
    run.type(b"bye\r")
    assert run.wait() == 7
    assert "console: exit code 7" in run.text
    stop(console)


def test_the_next_generation_is_shown_too(start, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.console]
        command = {python(CONSOLE)}
        tty = true
        restart = "always"
        backoff = {{ initial = "20ms", factor = 1, jitter = 0 }}
        """,
    )
    devrun = start("--no-color").wait_for("a console")
    run = attach(start, "console", size=(30, 80))
    run.type(b"bye\r").wait_for("console: exit code 7", "console has started again")
    until(lambda: run.count("a console") == 2, "the next generation")
    run.type(b"hello\r").wait_for("you said hello 30")
    run.type(DETACH)
    assert run.wait() == 0
    stop(devrun)


def test_a_restart_and_a_reload_are_stayed_through(start, console):
    run = attach(start, "console", size=(30, 80))
    assert start("restart", "console").wait() == 0
    run.wait_for("console: stopped", "console has started again")
    run.type(b"one\r").wait_for("you said one 30")
    assert start("reload", "console").wait() == 0
    until(lambda: run.count("console: stopped") == 2, "the end of the former generation")
    run.type(b"two\r").wait_for("you said two 30")
    assert start("stop", "console").wait() == 0
    assert run.wait() == 0
    stop(console)


def test_a_stop_of_the_run_ends_it(start, console):
    run = attach(start, "console")
    stop(console)
    assert run.wait() == 0
    assert "console: stopped" in run.text


def test_one_that_does_not_run_is_waited_for(start, console):
    assert start("stop", "console").wait() == 0
    run = attach(start, "console").wait_for("attached to console, which does not run (stopped)")
    assert start("restart", "console").wait() == 0
    run.wait_for("console has started again")
    run.type(b"hello\r").wait_for("you said hello 24")
    run.type(DETACH)
    assert run.wait() == 0
    stop(console)


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        ("exit 3", 3, "failed: exit code 3"),
        ("kill -KILL $$", 137, "failed: ended by SIGKILL"),
        ("true", 0, "completed"),
    ],
)
@pytest.mark.parametrize("terminal", [None, (24, 80)])
def test_one_that_has_ended_for_good_is_not_waited_for(
    start, tmp_path, command, code, why, terminal
):
    toml(
        tmp_path,
        f"""
        [services.job]
        command = "{command}"
        tty = true

        [services.other]
        command = "sleep 100"
        """,
    )
    devrun = start("--no-color").wait_for("[job")
    until(lambda: why.partition(":")[0] in start("ps").at_leisure().text, "the end")
    run = start("attach", "job", terminal=terminal)
    assert run.wait() == code
    ways = "devrun restart job starts it, devrun logs job shows what it said"
    assert run.lines == [f"devrun: job does not run ({why}); {ways}"]
    stop(devrun)


def test_one_that_will_start_again_is_waited_for(start, tmp_path):
    toml(
        tmp_path,
        """
        [services.job]
        command = "test -e go && exec sleep 100"
        tty = true
        restart = "always"
        max_restarts = 1000
        backoff = { initial = "1s", factor = 1, jitter = 0 }

        [services.other]
        command = "sleep 100"
        """,
    )
    devrun = start("--no-color").wait_for("restarting in")
    run = start("attach", "job", terminal=(24, 80)).wait_for("attached to job")
    (tmp_path / "go").write_text("")
    run.wait_for("job has started again")
    run.type(DETACH)
    assert run.wait() == 0
    stop(devrun)


def test_in_its_own_terminal_it_is_refused(start, tmp_path):
    # A shell that is talked to does not end by SIGTERM.
    shell = 'command = "sh"\ntty = true\nstop = { signal = "SIGHUP" }\n'
    toml(tmp_path, f"[services.one]\n{shell}\n[services.two]\n{shell}")
    devrun = start("--no-color").wait_for("[one]", "[two]")
    run = attach(start, "one")
    words = f"{sys.executable} -m devrun attach"
    run.type(f"{words} one; echo code $?\r".encode())
    run.wait_for("devrun: attach: this is one's own terminal, which would show itself for ever")
    run.wait_for("code 2")
    run.type(f"{words} two\r".encode()).wait_for("attached to two")
    run.type(b"echo $((6 * 7)) is said\r").wait_for("42 is said")
    assert start("restart", "one").wait() == 0
    run.wait_for("one has started again")
    run.type(f"{words} one; echo code $?\r".encode())
    until(lambda: run.count("one's own terminal") == 2, "the second refusal")
    run.type(DETACH)
    assert run.wait() == 0
    stop(devrun)


# -- the whole screen -------------------------------------------------------------------------


def test_a_full_screen_program_draws_itself_and_has_every_key(start, full_screen):
    run = attach(start, "editor").wait_for("FULL 24x80")
    run.type(b"ab\x03\x1a").wait_for("typed <ab^03^1a>")
    until(lambda: run.display()[-1] == "bottom", "the last line")
    shown = run.display()
    assert shown[:2] == ["FULL 24x80", "typed <ab^03^1a>"]
    assert shown[2] == " " * 9 + "X", "a line feed alone only moves down"
    assert len(shown) == 24
    run.type(DETACH)
    assert run.wait() == 0
    stop(full_screen)


def test_the_screen_is_as_it_was_after_detaching(start, full_screen):
    run = start("attach", "editor", terminal=(24, 80))
    before = attributes(run)
    run.wait_for("FULL 24x80")
    assert attributes(run) != before
    run.type(DETACH)
    assert run.wait() == 0
    assert_undone(run, before)
    stop(full_screen)


def assert_undone(run, before):
    assert attributes(run) == before
    for mode in SCREEN:
        on, off = ("l", "h") if mode == "?25" else ("h", "l")
        assert run.text.rfind(f"\x1b[{mode}{off}") > run.text.rfind(f"\x1b[{mode}{on}") >= 0, mode


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_the_screen_is_as_it_was_after_a_signal(start, full_screen, number):
    run = start("attach", "editor", terminal=(24, 80))
    before = attributes(run)
    run.wait_for("FULL 24x80")
    run.signal(number)
    assert run.wait() == -number
    assert_undone(run, before)
    stop(full_screen)


@pytest.mark.parametrize("name", ["console", "plain"])
def test_closing_the_window_ends_it_as_hang_ups_do(start, console, name):
    run = start("attach", name, terminal=(24, 80)).wait_for(name, name)
    run.hang_up()
    assert run.wait() == -signal.SIGHUP
    stop(console)


def test_closing_the_window_of_a_full_screen_program_ends_it_as_hang_ups_do(start, full_screen):
    run = attach(start, "editor").wait_for("FULL 24x80")
    run.hang_up()
    assert run.wait() == -signal.SIGHUP
    stop(full_screen)


@pytest.mark.parametrize("words", [["flood"], ["flood", "--no-stdin"]])
def test_a_terminal_that_hangs_up_without_a_signal_ends_it_too(
    start, runtime, tmp_path, words, mark
):
    """It is not the one that controls the command: nobody tells but reading and writing."""
    flood = "n = 0\nwhile True: print('line', n := n + 1, flush=True)"
    toml(tmp_path, f"[services.flood]\ncommand = {python(flood)}\ntty = true\n")
    devrun = start("--no-color", "-q", "--hide", "flood")
    until(lambda: sockets_in(runtime), "the socket")
    until(lambda: start("ps").wait() == 0, "an answer")
    leader, follower = os.openpty()
    log = tmp_path / "stderr"
    with open(log, "wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "devrun", "attach", *words],
            stdin=follower,
            stdout=follower,
            stderr=stderr,
            cwd=tmp_path,
            env=os.environ | {"XDG_RUNTIME_DIR": str(runtime), "RUN_MARK": mark},
            start_new_session=True,
        )
    os.close(follower)
    shown = b""
    while b"line " not in shown:
        shown += os.read(leader, 65536)
    os.close(leader)
    assert process.wait(30) == -signal.SIGHUP
    assert log.read_text() == ""
    stop(devrun)


def test_the_screen_is_as_it_was_when_devrun_is_killed(start, full_screen):
    run = start("attach", "editor", terminal=(24, 80))
    before = attributes(run)
    run.wait_for("FULL 24x80")
    os.kill(full_screen.worker(), signal.SIGKILL)
    assert run.wait() == 1
    assert "went away" in run.text
    assert_undone(run, before)
    full_screen.wait()


def test_it_is_drawn_anew_for_whoever_comes_again(start, full_screen):
    run = attach(start, "editor").wait_for("FULL 24x80")
    run.type(b"kept").wait_for("typed <kept>")
    run.type(DETACH)
    assert run.wait() == 0
    again = attach(start, "editor").wait_for("\x1b[?1049h", "typed <kept>", "FULL 24x80")
    until(lambda: again.display()[:2] == ["FULL 24x80", "typed <kept>"], "the screen")
    again.type(b"q")
    assert again.wait() == 3
    assert again.text.index("left the screen\r\n") < again.text.index("editor: exit code 3")
    stop(full_screen)


def test_sizes_follow_the_terminal_and_go_back(start, full_screen):
    usual = [line for line in full_screen.lines if "FULL" in line][-1].partition("FULL ")[2]
    usual = usual.partition("\x1b")[0]
    run = attach(start, "editor", size=(30, 90)).wait_for("FULL 30x90")
    run.resize(12, 60)
    run.wait_for("FULL 12x60")
    second = attach(start, "editor", size=(20, 70)).wait_for("FULL 20x70")
    run.wait_for("FULL 20x70")
    run.type(b"a")
    second.wait_for("typed <a>")
    second.type(b"b")
    run.wait_for("typed <ab>")
    seen = run.count("FULL 12x60")
    second.type(DETACH)
    assert second.wait() == 0
    until(lambda: run.count("FULL 12x60") > seen, "the size of who is left")
    seen = full_screen.count(f"FULL {usual}")
    run.type(DETACH)
    assert run.wait() == 0
    until(lambda: full_screen.count(f"FULL {usual}") > seen, "the size that it had")
    stop(full_screen)


def test_a_client_that_is_killed_leaves_no_size_behind(start, full_screen):
    run = attach(start, "editor", size=(30, 90)).wait_for("FULL 30x90")
    seen = full_screen.count("FULL 24x")
    run.signal(signal.SIGKILL)
    until(lambda: full_screen.count("FULL 24x") > seen, "the size that it had")
    stop(full_screen)


# -- without a keyboard -----------------------------------------------------------------------


def test_where_nothing_can_be_typed_that_is_said(start, console):
    run = start("attach", "plain", terminal=(24, 80))
    before = attributes(run)
    run.wait_for("the output of plain; Ctrl+C ends this", "plain\r\n")
    run.type(b"hello\r").wait_for("nothing can be typed at plain", "tty = true")
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    assert attributes(run) == before
    stop(console)


def test_ctrl_z_stops_the_client_where_nothing_is_typed(start, console):
    run = start("attach", "plain", terminal=(24, 80))
    before = attributes(run)
    run.wait_for("the output of plain")
    status = Path(f"/proc/{run.process.pid}/stat")
    run.type(b"\x1a")
    until(lambda: b") T " in status.read_bytes(), "the stop")
    assert attributes(run) == before
    run.signal(signal.SIGCONT)
    until(lambda: run.count("the output of plain") == 2, "the continuation")
    run.type(DETACH)
    assert run.wait() == 0
    assert attributes(run) == before
    stop(console)


def piped(start, runtime, tmp_path, words, text, **more):
    return subprocess.run(
        [sys.executable, "-m", "devrun", "attach", *words],
        input=text,
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"XDG_RUNTIME_DIR": str(runtime)},
        timeout=30,
        check=False,
        **more,
    )


def test_lines_from_a_pipe_are_typed_as_they_are(start, console, runtime, tmp_path):
    done = piped(start, runtime, tmp_path, ["console"], b"one\ntwo\nbye\n")
    assert done.returncode == 7
    assert done.stdout.replace(b"\r", b"").startswith(b"one\ntwo\nbye\nyou said one")
    assert b"you said two" in done.stdout
    assert b"\x1b" not in done.stdout
    assert b"console: exit code 7" in done.stderr
    stop(console)


def test_lines_from_a_pipe_for_one_that_takes_none(start, console, runtime, tmp_path):
    done = piped(start, runtime, tmp_path, ["plain"], b"one\n")
    assert done.returncode == 1
    assert b"devrun: nothing can be typed at plain" in done.stderr
    stop(console)


def test_no_stdin_passes_nothing_on(start, console):
    run = start("attach", "console", "--no-stdin", terminal=(24, 80))
    run.wait_for("the output of console; Ctrl+C ends this")
    run.type(b"hello\r\x03")
    assert run.wait() == -signal.SIGINT
    assert console.count("you said") == 0
    stop(console)


# -- beside others ----------------------------------------------------------------------------


def test_the_runs_own_terminal_goes_on_and_another_size_there_does_not_matter(start, tmp_path):
    toml(tmp_path, f"[services.console]\ncommand = {python(CONSOLE)}\ntty = true\n")
    devrun = start("--no-color", terminal=(24, 80)).wait_for("a console")
    run = attach(start, "console", size=(30, 100))
    devrun.resize(40, 120)
    run.type(b"one\r").wait_for("you said one 30")
    run.type(DETACH)
    assert run.wait() == 0
    devrun.wait_for("[console] you said one 30")
    run = attach(start, "console", "--no-stdin", size=None, said="the output of")
    devrun.type(b"\x03")
    assert devrun.wait() == -signal.SIGINT
    assert run.wait() == 0


def test_a_detached_run_is_attached_to_alike(start, tmp_path):
    toml(tmp_path, f"[services.console]\ncommand = {python(CONSOLE)}\ntty = true\n")
    assert start("up", "-d").wait() == 0
    try:
        run = attach(start, "console").wait_for("a console")
        run.type(b"one\r").wait_for("you said one 24")
        run.type(DETACH)
        assert run.wait() == 0
        assert "you said one" in start("logs").wait_for("you said one").text
    finally:
        assert start("down").wait() == 0


def test_other_keys_detach_where_they_are_said(start, console):
    run = attach(start, "console", "--detach-keys", "ctrl-p,ctrl-q")
    run.wait_for("Ctrl+P Ctrl+Q detaches")
    run.type(b"a\x1db\r").wait_for("you said a\x1db")
    run.type(b"\x10\x11")
    assert run.wait() == 0
    stop(console)


class Stalled:
    """A client that reads nothing, until it is told to."""

    def __init__(self, path, name, query=""):
        self.web = WSConnection(ConnectionType.CLIENT)
        self.socket = connect_to(str(path))
        self.socket.settimeout(30)
        target = f"/v1/instances/{name}/attach{query}"
        self.socket.sendall(self.web.send(Request("devrun", target)))
        self.first = self.next()

    def next(self):
        while True:
            for event in self.web.events():
                return event
            self.web.receive_data(self.socket.recv(65536))

    def messages(self):
        while True:
            event = self.next()
            if isinstance(event, BytesMessage):
                yield bytes(event.data)
            elif isinstance(event, TextMessage):
                yield json.loads(event.data)


def test_a_client_that_stalls_is_told_what_it_missed_and_holds_nobody_up(start, runtime, tmp_path):
    os.mkfifo(tmp_path / "go")
    flood = """
        open("go").read()
        for number in range(100_000):
            print(number, "x" * 80)
        print("flooded", flush=True)
        print(open("go").read(), flush=True)
        signal.pause()
    """
    toml(tmp_path, f"[services.flood]\ncommand = {python(flood)}\n")
    devrun = start("--no-color", "-q")
    until(lambda: sockets_in(runtime), "the socket")
    [path] = sockets_in(runtime)
    stalled = Stalled(path, "flood")
    assert isinstance(stalled.first, AcceptConnection)
    (tmp_path / "go").write_text("")
    devrun.wait_for("flooded")
    (tmp_path / "go").write_text("behind the gap")
    devrun.wait_for("behind the gap")
    shown, gaps = b"", 0
    for message in stalled.messages():
        if isinstance(message, bytes):
            shown += message
        gaps += message.get("gap", 0) if isinstance(message, dict) else 0
        if b"behind the gap\n" in shown:
            break
    assert gaps > 1_000_000
    whole = sum(len(f"{number} {'x' * 80}\n") for number in range(100_000))
    whole += len("flooded\nbehind the gap\n")
    assert len(shown) + gaps == whole, "every byte is accounted for"
    stop(devrun)
    stalled.socket.close()


def test_there_may_be_only_so_many(start, console, runtime):
    [path] = sockets_in(runtime)
    clients = [Stalled(path, "console") for _ in range(8)]
    assert all(isinstance(client.first, AcceptConnection) for client in clients)
    run = start("attach", "console")
    assert run.wait() == 1
    assert run.text == "devrun: 8 are attached to console already\n"
    clients.pop().socket.close()
    until(lambda: is_accepted(path), "a place")
    for client in clients:
        client.socket.close()
    stop(console)


def is_accepted(path):
    client = Stalled(path, "console")
    client.socket.close()
    return isinstance(client.first, AcceptConnection)


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("wob", "", 404),
        ("console", "?rows=0&columns=80", 422),
        ("console", "?rows=24", 422),
        ("console", "?colums=80", 422),
    ],
)
def test_the_api_refuses_what_cannot_be(start, console, runtime, name, query, status):
    [path] = sockets_in(runtime)
    client = Stalled(path, name, query)
    assert isinstance(client.first, RejectConnection)
    assert client.first.status_code == status
    client.socket.close()
    stop(console)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ([], 2, "attach needs the name of a service: devrun attach web"),
        (["consol"], 2, 'no service "consol" runs; did you mean "console"?'),
        (["console", "plain"], 2, "attach takes one name; there is plain too"),
        (["console", "--detach-keys", ""], 2, '--detach-keys "": no such key; write for example'),
        (["console", "--detach-keys="], 2, '--detach-keys "": no such key; write for example'),
        (["console", "--detach-keys", "f1"], 2, '--detach-keys "f1": no such key'),
        (["console", "--name", "x"], 1, 'no devrun that is called "x" runs'),
    ],
)
def test_wrong_words(start, console, words, code, message):
    run = start("attach", *words)
    assert run.wait() == code
    assert message in run.text
    stop(console)


def test_one_of_several_instances_has_to_be_said(start, tmp_path):
    toml(
        tmp_path,
        f"[services.web]\ncommand = {python(CONSOLE)}\ntty = true\ninstances = 2\n",
    )
    devrun = start("--no-color").wait_for("[web.1] a console", "[web.2] a console")
    run = start("attach", "web")
    assert run.wait() == 2
    assert run.text == "devrun: web has 2 instances; say which one: web.1 or web.2\n"
    second = attach(start, "web.2")
    second.type(b"bye\r")
    assert second.wait() == 7
    stop(devrun)
