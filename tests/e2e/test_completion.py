"""Completion as the shells ask for it, and how it gets there."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from fake_control import FakeRun

from devrun.cli.completion.scripts import SCRIPTS, SHELLS

PATHS = {
    "bash": (".local/share/devrun/completion.bash", ".bashrc"),
    "zsh": (".zfunc/_devrun", ".zshrc"),
    "fish": (".config/fish/completions/devrun.fish", None),
}


@pytest.fixture
def runtime(tmp_path):
    """Have a run called blue, with three services, in the folder of the test."""
    folder = Path(tempfile.mkdtemp(prefix="devrun-t-", dir="/tmp"))
    (folder / "devrun").mkdir(mode=0o700)
    services = {"web": ["web.1", "web.2"], "db": ["db"], "worker": ["worker"]}
    run = FakeRun(folder / "devrun" / "run.1", tmp_path, services=services, name="blue")
    yield {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
    run.close()
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("devrun attach w", ["web", "worker"]),
        ("devrun attach web.", ["web.1", "web.2"]),
        ("devrun logs ", ["web", "db", "worker"]),
        ("devrun restart web w", ["worker"]),
        ("devrun scale w", ["web=", "worker="]),
        ("devrun signal w", ["web", "worker"]),
        ("devrun signal web USR", ["USR1", "USR2"]),
        ("devrun signal web SIGHU", ["SIGHUP"]),
        ("devrun ps --name ", ["blue"]),
        ("devrun logs --name red ", []),
        ("devrun down ", []),
    ],
)
@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_what_runs(devrun, runtime, shell, line, found):
    if shell == "bash":
        run = devrun(env_added=runtime | {"_DEVRUN_COMPLETE": "complete_bash", "COMP_LINE": line})
    else:
        words = line.split(" ")[1:]
        run = devrun(*words, env_added=runtime | {"_DEVRUN_COMPLETE": f"complete_{shell}"})
    assert run.wait() == 0
    assert run.lines == found


@pytest.mark.parametrize(
    ("shell", "line"),
    [("zsh", "ps:Services: state, processes"), ("fish", "ps\tServices: state, processes")],
)
def test_commands_are_shown_with_what_they_do(devrun, shell, line):
    run = devrun("p", env_added={"_DEVRUN_COMPLETE": f"complete_{shell}"})
    assert run.wait() == 0
    assert run.text.startswith(line)


@pytest.mark.parametrize("command", ["", "ps", "start", "up", "check", "exec", "export", "startup"])
def test_options_are_shown_with_what_they_mean(devrun, command):
    words = [command, "--"] if command else ["--"]
    run = devrun(*words, env_added={"_DEVRUN_COMPLETE": "complete_fish"})
    assert run.wait() == 0
    without = {line for line in run.lines if "\t" not in line}
    assert without <= {"--help", "--version", "--install-completion", "--show-completion"}


# -- bash ---------------------------------------------------------------------------------------


@pytest.fixture
def in_bash(tmp_path):
    """Have bash complete a line with the script that devrun shows; return what it offers."""
    program = tmp_path / "devrun"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m devrun "$@"\n')
    program.chmod(0o755)

    def complete(line, *, behind=""):
        script = f"""
            {SCRIPTS["bash"]}
            COMP_LINE={shlex.quote(line + behind)}
            COMP_POINT={len(line)}
            COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
            _devrun_completion devrun
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
        words = ["bash", "--norc", "-c", script]
        done = subprocess.run(words, env=env, cwd=tmp_path, capture_output=True, check=True)
        return done.stdout.decode().split()

    return complete


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("devrun att", ["attach"]),
        ("devrun wait --for=he", ["healthy"]),
        ("devrun wait --for he", ["healthy"]),
        ("devrun npm:de", ["dev", "dev:css"]),
        ("devrun npm:dev:", ["css"]),
        ("devrun -f 'Procfile.ö' w", ["web", "worker"]),
        ("devrun -f 'Procfile.ö", []),
        ("devrun -f Procfile.ö --only=web,w", ["web,worker"]),
        ("devrun start -f Procfile.ö web w", ["worker"]),
    ],
)
def test_bash_replaces_what_stands_behind_its_last_break(in_bash, tmp_path, line, found):
    (tmp_path / "Procfile.ö").write_text("web: true\nworker: true\n")
    (tmp_path / "package.json").write_text('{"scripts": {"dev": "true", "dev:css": "true"}}')
    assert in_bash(line) == found


def test_what_stands_behind_the_cursor_does_not_matter(in_bash):
    assert in_bash("devrun att", behind=" --no-stdin") == ["attach"]


def test_shells_are_offered_where_one_can_be_named(in_bash):
    assert in_bash("devrun --show-completion ") == [*SHELLS]


# -- installing ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("form", ["{} {}", "{}={}"])
def test_the_script_of_the_shell_that_is_named_is_shown(devrun, shell, form):
    run = devrun(*form.format("--show-completion", shell).split(" "))
    assert run.wait() == 0
    assert run.text == SCRIPTS[shell]


@pytest.mark.parametrize("shell", SHELLS)
def test_installing_twice_is_installing_once(devrun, tmp_path, shell):
    path, start = PATHS[shell]
    if start:
        (tmp_path / start).write_text("# mine, without an end")
    for _ in range(2):
        assert devrun("--install-completion", shell).wait() == 0
    assert (tmp_path / path).read_text() == SCRIPTS[shell]
    if start:
        mine, added = (tmp_path / start).read_text().splitlines()
        assert mine == "# mine, without an end"
        assert str(Path(path).parent) in added


def test_what_is_installed_for_bash_is_there_in_a_new_shell(devrun, tmp_path):
    assert devrun("--install-completion", "bash").wait() == 0
    words = ["bash", "-c", "source ~/.bashrc && complete -p devrun"]
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert "_devrun_completion devrun" in done.stdout


def test_without_a_name_it_is_the_shell_that_devrun_was_started_from(tmp_path):
    command = f"{shlex.quote(sys.executable)} -m devrun --show-completion; true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout == SCRIPTS["bash"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--show-completion", "zhs"], '--show-completion: no completion for "zhs"; did you mean'),
        (["--show-completion", "zsh", "x"], "--show-completion: nothing can follow the shell"),
        (["--install-completion=tcsh"], '--install-completion: no completion for "tcsh"'),
    ],
)
def test_a_wrong_shell_is_one_line(devrun, words, message):
    run = devrun(*words)
    assert run.wait() == 2
    assert run.text.startswith(f"devrun: {message}")
    assert len(run.lines) == 1


def test_a_place_that_cannot_be_written_to_is_one_line(devrun, tmp_path):
    (tmp_path / ".zfunc").touch()
    run = devrun("--install-completion", "zsh")
    assert run.wait() == 2
    assert run.text == f"devrun: --install-completion: {tmp_path}/.zfunc: File exists\n"
