"""``devrun startup``: what it writes, by the programs that read it."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys

import pytest
from exporting import run

from devrun.export.startup import Startup, launchd_agent, systemd_unit

TOML = '[services.web]\ncommand = "true"\n'


@pytest.fixture
def place(tmp_path):
    """Return a folder with a project, and the environment for it."""
    folder = tmp_path / "my shop"
    folder.mkdir()
    (folder / "devrun.toml").write_text(TOML)
    (folder / ".env").write_text("TOKEN=verysecret\n")
    return folder


@pytest.fixture
def startup(place, tmp_path):
    env = {**os.environ, "HOME": str(tmp_path / "home"), "TOKEN": "verysecret"}
    env.pop("XDG_CONFIG_HOME", None)

    def do(*words, code=0, cwd=place, **variables):
        done = subprocess.run(
            [sys.executable, "-m", "devrun", "startup", *words],
            cwd=cwd,
            env=env | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return do


@pytest.fixture
def units(tmp_path):
    return tmp_path / "home" / ".config" / "systemd" / "user"


def verify(unit, tmp_path) -> str:
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    return run("systemd-analyze", "verify", "--user", "--man=no", str(unit), env=env)


class TestUnit:
    def test_is_what_systemd_takes(self, startup, units, tmp_path):
        said = startup()
        [unit] = units.glob("*.service")
        assert f"wrote {unit}" in said
        assert "systemctl --user start " + unit.name in said
        assert "loginctl enable-linger" in said
        assert verify(unit, tmp_path) == ""

    def test_runs_what_is_said_here(self, startup, place, units):
        startup("--only", "web", "--success=first")
        [unit] = units.glob("*.service")
        lines = unit.read_text().splitlines()
        assert f"WorkingDirectory={place}" in lines
        [start] = [line for line in lines if line.startswith("ExecStart=")]
        program = start.removeprefix("ExecStart=").split('"')[1]
        assert os.path.isabs(program)
        assert os.access(program, os.X_OK)
        assert start.endswith('"up" "--only" "web" "--success=first"')

    def test_is_looked_at_when_the_user_comes(self, startup, units):
        startup()
        [unit] = units.glob("*.service")
        assert (units / "default.target.wants" / unit.name).resolve() == unit

    def test_holds_no_value(self, startup, units):
        startup()
        [unit] = units.glob("*.service")
        assert "verysecret" not in unit.read_text()
        assert "Environment" not in unit.read_text()

    def test_can_be_written_again(self, startup, units):
        startup()
        startup("--only", "web")
        [unit] = units.glob("*.service")
        assert '"--only"' in unit.read_text()

    def test_is_removed(self, startup, units):
        startup()
        assert "removed " in startup("--remove")
        assert [path for path in units.rglob("*") if not path.is_dir()] == []
        assert "nothing is to be removed" in startup("--remove")

    def test_has_another_name_for_another_run(self, startup, units):
        startup()
        startup("--name", "second")
        names = sorted(path.name.rpartition("-")[0] for path in units.glob("*.service"))
        assert names == ["devrun-my_shop", "devrun-second"]
        startup("--remove", "--name", "second")
        assert len([*units.glob("*.service")]) == 1

    def test_is_shown_alone_if_asked_for(self, startup, units):
        assert startup("--print").startswith("# Made by devrun startup")
        assert not units.exists()

    def test_of_others_is_left_alone(self, startup, units):
        startup()
        [unit] = units.glob("*.service")
        unit.write_text("[Unit]\n")
        assert "is not by devrun startup" in startup(code=2)
        assert "is not by devrun startup" in startup("--remove", code=2)
        assert unit.read_text() == "[Unit]\n"

    @pytest.mark.parametrize(
        "text", ['a "b" c', "100%", "$HOME", "back\\slash", "semi;colon", "new\nline", "ümläut"]
    )
    def test_takes_any_word(self, text, tmp_path):
        program = shutil.which("true") or ""
        this = Startup("x", text, str(tmp_path), (program, "up", text), "/log")
        unit = tmp_path / "devrun-x.service"
        unit.write_text(systemd_unit(this))
        assert verify(unit, tmp_path) == ""

    @pytest.mark.parametrize("name", ["tür und tör", "магазин", "a+b@c", "[x]", "x" * 250])
    def test_has_a_name_that_systemd_takes_wherever_it_is(self, startup, units, tmp_path, name):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "devrun.toml").write_text(TOML)
        said = startup(cwd=folder)
        [unit] = units.glob("*.service")
        assert f"wrote {unit}" in said
        assert re.fullmatch(r"devrun-[A-Za-z0-9:_.-]+-[0-9a-f]{8}\.service", unit.name)
        assert verify(unit, tmp_path) == ""
        assert f"WorkingDirectory={folder}" in unit.read_text().splitlines()
        startup("--remove", cwd=folder)
        assert not unit.exists()

    def test_has_another_name_for_a_folder_that_looks_alike(self, startup, units, tmp_path):
        for name in ("über", "öber"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "devrun.toml").write_text(TOML)
            startup(cwd=tmp_path / name)
        first, second = units.glob("*.service")
        assert first.name.rpartition("-")[0] == second.name.rpartition("-")[0] == "devrun-_ber"


class TestVariables:
    """Those of this shell are not there when the machine starts."""

    def test_of_options_are_named_with_what_to_write(self, startup, units):
        said = startup(DEVRUN_PROFILE="full", DEVRUN_SUCCESS="verysecret", DEVRUN_TIMINGS="1")
        names = "DEVRUN_PROFILE, DEVRUN_SUCCESS, DEVRUN_TIMINGS"
        way = "write devrun startup --profile … --success … --timings"
        what = "hold for this shell alone, and not for what is started there"
        warnings = [line for line in said.splitlines() if line.startswith("devrun: ")]
        assert warnings == [f"devrun: {names}: {what}; if it is to, {way}"]
        assert "full" not in said
        assert "verysecret" not in said
        [unit] = units.glob("*.service")
        assert ' "up"\n' in unit.read_text()

    @pytest.mark.parametrize(
        ("name", "value", "way"),
        [
            ("DEVRUN_KEYS", "no", "--keys=false"),
            ("DEVRUN_NO_ENV", "1", "--no-env"),
            ("DEVRUN_ENV", "A=verysecret", "--env-file …"),
            ("CONCURRENTLY_KILL_OTHERS", "true", "--kill-others"),
        ],
    )
    def test_are_told_as_options_are_written(self, startup, name, value, way):
        said = startup("--print", **{name: value})
        assert f"devrun: {name}: holds for this shell alone" in said
        assert f"write devrun startup {way}\n" in said
        assert "verysecret" not in said

    def test_that_change_nothing_are_not_told(self, startup):
        said = startup("--print", "--tail", "3", DEVRUN_TAIL="4", DEVRUN_PROFILE="")
        assert "for this shell alone" not in said
        assert "for this shell alone" not in startup("--print", DEVRUN_FOCUS="web")
        assert "for this shell alone" not in startup("--remove", DEVRUN_PROFILE="full")


class TestRefuses:
    def test_names_that_are_no_utf_8(self, startup, units, tmp_path):
        """systemd ignores a line that has such bytes, whichever it is."""
        folder = os.fsencode(tmp_path) + b"/f\xff"
        os.mkdir(folder)
        with open(folder + b"/devrun.toml", "w") as file:
            file.write(TOML)
        said = startup(cwd=folder, code=2)
        assert (
            said
            == f"devrun: {tmp_path}/f\\xff: not UTF-8, and systemd takes nothing else; rename it\n"
        )
        assert not units.exists()

    def test_to_write_values_down(self, startup, units):
        assert "--env: its values would be written down" in startup("--env", "A=b", code=2)
        assert not units.exists()

    def test_to_write_commands_down(self, startup, units):
        said = startup("TOKEN=verysecret node server.js", code=2)
        assert "put them into a devrun.toml" in said
        assert not units.exists()

    def test_what_could_not_run(self, startup, place, units):
        (place / "devrun.toml").write_text("[services")
        assert "devrun.toml:1" in startup(code=2)
        assert not units.exists()

    def test_both_at_once(self, startup):
        assert "contradict" in startup("--remove", "--print", code=2)


def test_an_agent_is_a_property_list():
    words = ("/usr/bin/devrun", "up", 'a <b> & "c"')
    text = launchd_agent(Startup("x-1", "x", "/my shop", words, "/state/devrun.log"))
    read = plistlib.loads(text.encode())
    assert read["Label"] == "devrun.x-1"
    assert tuple(read["ProgramArguments"]) == words
    assert read["WorkingDirectory"] == "/my shop"
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    assert read["RunAtLoad"] is True
    assert "EnvironmentVariables" not in read
