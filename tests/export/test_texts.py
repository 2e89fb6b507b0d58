"""Texts that a format cannot say as they are: said in another way, or refused."""

from __future__ import annotations

import os
import plistlib
import subprocess
from pathlib import Path

import pytest
from exporting import DAEMONS, daemon, export, run
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running import until
from supervisor.options import UnhosedConfigParser

from devrun.export import quoting

TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)
PATH = st.text(
    st.sampled_from(" \t;#%%()sheer") | st.characters(blacklist_categories=["Cs", "Cc"]),
    max_size=20,
)
NASTY = "x\ny ;z #1 %(here)s \x1b\t\u2028 '\" $HOME \\"
SHOUT = b"""web: sh -c 'printf "%s|\xff" "$A" > said; exec sleep 60'\n"""


def project_called(tmp_path: Path, name: str, procfile: bytes = SHOUT) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "Procfile").write_bytes(procfile)
    return folder


def read_by_supervisord(line: str, option: str) -> str:
    """Return a value as it is used: replaced once, and twice for log files."""
    parser = UnhosedConfigParser()
    expansions = {"program_name": "x", "here": "/HERE"}
    parser.read_string(f"[program:x]\n{option}={line}\nautostart=true\n")
    parser.expand_here("/HERE")
    once = parser.saneget("program:x", option, expansions=expansions)
    return once % expansions if option == "stdout_logfile" else once


class TestSupervisord:
    @given(PATH)
    @example("/my #1 app; %(here)s 100% ")
    def test_it_reads_the_paths_that_were_written(self, path):
        path = f"/{path}"
        assert read_by_supervisord(quoting.supervisord_text(path), "directory") == path
        assert read_by_supervisord(quoting.supervisord_log(path), "stdout_logfile") == path

    @settings(max_examples=30)
    @given(TEXT)
    @example(NASTY)
    def test_a_shell_reads_the_line_that_was_written(self, text):
        word = "'" + text.replace("'", "'\\''") + "'"
        line = quoting.printed_line(f"printf '%s|' {word}")
        assert "\n" not in line
        done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, check=True)
        assert done.stdout == f"{text}|".encode()

    @pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["by devrun", "written"])
    def test_it_runs_what_has_blanks_and_signs_and_line_breaks(self, tmp_path, mark, secrets):
        project = project_called(tmp_path, "my #1 app; 100% %(here)s")
        (project / ".env").write_text("B=1\n")
        logs = tmp_path / "l o;g #2 100% %(here)s"
        logs.mkdir()
        (tmp_path / "out").mkdir()
        words = (str(tmp_path / "out"), "-a", "app", "-l", str(logs), "--env-var", f"A={NASTY}")
        export(project, "supervisord", *words, *secrets)
        said = project / "said"
        with daemon("supervisord", tmp_path / "out", mark):
            until(lambda: said.exists() and said.stat().st_size, "the words of the process")
            until((logs / "app-web-1.log").exists, "its log")
        assert said.read_bytes() == f"{NASTY}|".encode() + b"\xff"

    def test_a_line_break_in_a_path_is_refused(self, tmp_path):
        project = project_called(tmp_path, "a\nb")
        done = export(project, "supervisord", "out", code=2)
        assert "supervisord cannot be told such a path" in done.stderr
        assert done.stderr.count("\n") == 1
        assert not (project / "out").exists()


@pytest.mark.parametrize("style", ["runit", "s6"])
def test_a_script_says_every_byte(style, tmp_path, mark):
    project = project_called(tmp_path, "app")
    export(project, style, "out", "--env-var", f"A={NASTY}")
    said = project / "said"
    with daemon(style, project / "out", mark):
        until(lambda: said.exists() and said.stat().st_size, "the words of the process")
    assert said.read_bytes() == f"{NASTY}|".encode() + b"\xff"


class TestRefused:
    @pytest.mark.parametrize(
        "style",
        ["systemd", "systemd-user", "launchd", "compose", "kubernetes", "app-platform"],
    )
    def test_bytes_that_are_no_utf_8(self, style, tmp_path):
        project = project_called(tmp_path, "app", b"web: true\nmail: echo \xff\n")
        done = export(project, style, "out", code=2)
        expected = 'process "mail": its command has the byte 0xff, which is no UTF-8, which'
        assert done.stderr.startswith(f"devrun: {expected} {style} cannot hold; ")
        assert done.stderr.count("\n") == 1
        assert not (project / "out").exists()

    def test_what_is_left_out_is_not_looked_at(self, tmp_path):
        project = project_called(tmp_path, "app", b"web: sleep 60\nrelease: echo \xff\n")
        export(project, "systemd", "out")
        done = export(project, "kubernetes", "k8s", code=2)
        assert 'process "release": its command has the byte 0xff' in done.stderr

    @pytest.mark.parametrize("style", ["systemd", "launchd", "supervisord"])
    def test_bytes_of_a_path_that_are_no_utf_8(self, style, tmp_path):
        project = tmp_path / os.fsdecode(b"app\xff")
        project.mkdir()
        (project / "Procfile").write_text("web: sleep 60\n")
        done = export(project, style, "out", code=2)
        assert "a path or a name in it has the byte 0xff" in done.stderr
        assert not (project / "out").exists()

    @pytest.mark.parametrize("character", ["\x1b", "\f"])
    def test_what_xml_has_not(self, character, tmp_path):
        project = project_called(tmp_path, "app", f"web: echo {character}\n".encode())
        done = export(project, "launchd", "out", code=2)
        expected = f'process "web": its command has the character U+{ord(character):04X}'
        assert expected in done.stderr
        (project / "Procfile").write_text("web: true\n")
        (project / ".env").write_text(f"A='a{character}b'\n")
        export(project, "launchd", "out")
        done = export(project, "launchd", "other", "--include-secrets", code=2)
        assert f"the variable A has the character U+{ord(character):04X}" in done.stderr
        assert not (project / "other").exists()


def test_systemd_takes_control_characters(tmp_path):
    project = project_called(tmp_path, "app", b"web: echo \x1b \x0c\n")
    export(project, "systemd", "out", "--env-var", "A=x\r\ny")
    assert run("systemd-analyze", "verify", "--man=no", str(project / "out/app.target")) == ""
    unit = (project / "out/app-web.service").read_text()
    assert r"A='x\x0d\ny'" in unit
    assert r"echo \x1b \x0c" in unit


def test_a_stop_without_time_is_not_for_ever(tmp_path, mark):
    """s6 takes 0 milliseconds for no limit."""
    stubborn = b"web: sh -c 'trap \"\" TERM; echo > said; while :; do sleep 1; done'\n"
    project = project_called(tmp_path, "app", stubborn)
    export(project, "s6", "out", "--stop-timeout", "0")
    assert (project / "out/app-web-1/timeout-kill").read_text() == "1\n"
    with daemon("s6", project / "out", mark):
        until((project / "said").exists, "the start")
        run("s6-svc", "-wd", "-T", "20000", "-d", str(project / "out/app-web-1"))


DOTENV = "A-B=3\na.b=5\nü=1\nGOOD='a\"b'\n"


class TestVariablesThatAShellCannotName:
    @pytest.mark.parametrize("style", ["systemd", "launchd", "supervisord", "runit", "s6"])
    @pytest.mark.parametrize("secrets", [(), ("--include-secrets",)], ids=["read", "written"])
    def test_are_said(self, style, secrets, tmp_path):
        project = project_called(tmp_path, "app", b"web: sleep 60\n")
        (project / ".env").write_text(DOTENV)
        said = export(project, style, "out", *secrets).stderr
        names = "A-B, a.b, ü"
        assert (
            f"note: variables with such names do not reach the processes of {style}: {names}\n"
            in said
        )

    def test_only_those_that_the_target_refuses(self, tmp_path):
        project = project_called(tmp_path, "app", b"web: sleep 60\n")
        (project / ".env").write_text(DOTENV)
        said = export(project, "kubernetes", "k8s", "--include-secrets").stderr
        assert "do not reach the processes of kubernetes: ü\n" in said
        assert '"A-B": "3"' in (project / "k8s/secret.yaml").read_text()
        assert "do not reach" not in export(project, "compose", "out").stderr

    @pytest.mark.parametrize("style", DAEMONS)
    def test_do_not_keep_the_others_from_coming(self, style, tmp_path, mark):
        procfile = b"""web: sh -c 'printf "%s" "$GOOD" > said; exec sleep 60'\n"""
        project = project_called(tmp_path, "app", procfile)
        (project / ".env").write_text(DOTENV)
        export(project, style, "out", "--include-secrets")
        said = project / "said"
        with daemon(style, project / "out", mark):
            until(lambda: said.exists() and said.stat().st_size, "the words of the process")
        assert said.read_text() == 'a"b'
        log = Path(f"{project}/out.daemon.log").read_text()
        assert "not found" not in log


def test_a_property_list_has_the_values_for_its_process(tmp_path):
    procfile = b"""web: sh -c 'printf "%s|%s" "$GOOD" "$LINES"'\n"""
    project = project_called(tmp_path, "app", procfile)
    (project / ".env").write_text('GOOD=\'<a> & "b"\'\nLINES="one\r\ntwo"\n')
    export(project, "launchd", "out", "--include-secrets")
    read = plistlib.loads((project / "out/app.web.1.plist").read_bytes())
    done = subprocess.run(
        read["ProgramArguments"], env=read["EnvironmentVariables"], capture_output=True, check=True
    )
    assert done.stdout.decode() == '<a> & "b"|one\ntwo'
    assert not (project / "out/app.env").exists()
