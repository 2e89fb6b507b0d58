"""``devrun startup``: what it writes, by the programs that read it."""

from __future__ import annotations

import os
import plistlib
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

    def do(*words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "devrun", "startup", *words],
            cwd=place,
            env=env,
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


class TestRefuses:
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
