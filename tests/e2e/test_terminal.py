"""What a person sees: the screen of a terminal in which devrun runs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from running import program, until

ROOT = Path(__file__).parents[2]


def color_at(run, line, column):
    return run.screen.buffer[line][column].fg


def test_the_example_project_in_colours(devrun, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "Procfile.example", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = devrun("-f", "Procfile.example", "--port", port, terminal=(30, 100))
    run.wait_for("listening on", "tick", "job 1")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/there", timeout=20) as answer:
        assert b"you asked for /there" in answer.read()
    run.wait_for("/there")
    until(lambda: len({line[:8] for line in run.display()}) >= 4, "all three on the screen")
    colors = {}
    assert run.display()[0] == "--> keys: ? shows them"
    for number, line in enumerate(run.display()[1:], start=1):
        assert line[:8] in ("[web   ]", "[worker]", "[ticker]"), run.display()
        colors.setdefault(line[:8], set()).add(color_at(run, number, 1))
        assert color_at(run, number, 9) != colors[line[:8]] or "\x1b" not in line
    assert {name: len(found) for name, found in colors.items()} == dict.fromkeys(colors, 1)
    assert len(set.union(*colors.values())) == 3, "three colours"
    run.type(b"\x03")
    assert run.wait() == -signal.SIGINT
    until(lambda: "closing the server" in run.text, "the last words")


def test_processes_have_a_terminal_that_fits(devrun):
    run = devrun(f"web={program('reports_tty')}", terminal=(24, 80))
    run.wait_for("tty True True True 24x74", "controlling True")
    run.resize(30, 100)
    run.wait_for("resized 30x94")
    run.type(b"\x03")
    run.wait()


def test_no_tty_gives_pipes(devrun):
    run = devrun("--no-tty", f"web={program('reports_tty')}", terminal=(24, 80))
    run.wait_for("tty False False False")
    run.type(b"\x03")
    run.wait()


def test_tty_gives_terminals_in_a_pipe_too(devrun):
    run = devrun("--tty", f"web={program('reports_tty')}")
    run.wait_for("tty True True True 24x")
    run.signal(signal.SIGINT).wait()


def test_an_attribute_left_open_stays_with_its_process(devrun, tmp_path):
    os.mkfifo(tmp_path / "go")
    red = "printf '\\033[31mred\\n'; cat go; printf 'still red\\033[0m\\n'"
    run = devrun("-n", "a,b", red, "sleep 0.2; echo plain; echo > go", terminal=(24, 80))
    run.wait_for("still red")
    run.wait()
    until(lambda: any("still red" in line for line in run.display()), "the last line")
    colors = {}
    for number, line in enumerate(run.display()):
        colors[line[4:]] = color_at(run, number, 4)
    assert colors["red"] == colors["still red"] == "red"
    assert colors["plain"] == "default"


def test_a_process_cannot_disturb_the_others_lines(devrun):
    wild = "printf 'one\\033[2J\\033[H\\033]0;title\\007two\\033c\\033[5A\\033[?1049hthree\\n'"
    run = devrun("-n", "a", f"echo before; {wild}", terminal=(24, 80))
    run.wait()
    run.wait_for("three")
    assert run.display()[:2] == ["[a] before", "[a] onetwothree"]


def test_a_progress_bar_moves_in_its_line(devrun, tmp_path):
    os.mkfifo(tmp_path / "go")
    bar = "printf '10%%\\r'; cat go; printf '50%%\\r'; printf '100%%\\n'; echo end"
    run = devrun("-n", "a", bar, terminal=(24, 80))
    run.wait_for("10%")
    (tmp_path / "go").write_text("")
    run.wait()
    run.wait_for("[a]\x1b[39m end")
    until(lambda: len(run.display()) >= 2, "the screen")
    assert run.display()[:2] == ["[a] 100%", "[a] end"]


def test_raw_passes_control_sequences(devrun):
    run = devrun("-r", "-q", "printf 'x\\033[2J\\033[Hy'", terminal=(24, 80))
    run.wait()
    until(lambda: run.output.endswith(b"y"), "all of it")
    assert run.display() == ["y"]


def test_the_screen_in_tmux(tmp_path, mark):
    """A real terminal program as the judge: tmux draws the screen, and types Ctrl+C."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "Procfile.example", tmp_path)
    tmux = ["tmux", "-L", f"devrun-{mark}", "-f", "/dev/null"]
    env = {k: v for k, v in os.environ.items() if k != "TMUX"} | {"RUN_MARK": mark}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run = f"{sys.executable} -m devrun -f Procfile.example --port {port}"
    command = f"trap : INT; {run}; echo code $?; cat"

    def screen():
        shown = subprocess.run(
            [*tmux, "capture-pane", "-p", "-e"], capture_output=True, check=False
        )
        return shown.stdout.decode()

    try:
        size = ["-x", "100", "-y", "30"]
        subprocess.run(
            [*tmux, "new-session", "-d", *size, command], cwd=tmp_path, env=env, check=True
        )
        until(lambda: "tick" in screen() and "listening" in screen(), "the first lines")
        assert "\x1b[34m[web   ]" in screen()
        subprocess.run([*tmux, "send-keys", "C-c"], check=True)
        until(lambda: "code 130" in screen(), "the end")
        assert "closing the server" in screen()
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
