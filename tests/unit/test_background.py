"""What is other in a project that runs without a terminal."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

import pytest

from devrun.control.background import (
    FORMER,
    NoPlace,
    end_of_log,
    in_background,
    make_folders,
    move_to_background,
)
from devrun.model import Project, Service
from devrun.policies import LogFile

WEB = Service(0, "web", "node web", "/", process="web")
OWN = LogFile("/var/log/own.log")


def services(*given):
    return in_background(Project("/", "devrun.toml", given), "/state").services


def test_a_service_gets_a_file_with_times_that_is_rotated():
    [found] = services(WEB)
    assert found.log is not None
    assert found.log.path == "/state/logs/web.log"
    assert found.log.timestamps
    assert (found.log.max_size, found.log.keep_files) == (10 * 1024 * 1024, 5)


def test_one_that_has_a_file_keeps_it():
    [found] = services(replace(WEB, log=OWN))
    assert found.log == OWN


def test_instances_have_files_of_their_own():
    found = services(*(replace(WEB, index=n, name=f"web.{n + 1}", number=n + 1) for n in range(2)))
    assert {service.log.path for service in found} == {"/state/logs/web.{instance}.log"}


def test_commands_have_files_by_their_labels():
    found = services(Service(0, None, "a", "/"), Service(1, "x/y", "b", "/"))
    assert [service.log.path for service in found] == ["/state/logs/0.log", "/state/logs/x_y.log"]


def test_none_shares_the_terminal_that_is_not_there():
    assert not services(replace(WEB, raw=True))[0].raw


def test_folders_are_for_this_user_alone(tmp_path):
    state = tmp_path / "home" / "devrun" / "shop"
    make_folders(str(state))
    make_folders(str(state))
    for folder in (state.parent, state, state / "logs"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_no_place_is_said_in_one_line(tmp_path):
    (tmp_path / "devrun").write_text("")
    with pytest.raises(NoPlace, match="set XDG_STATE_HOME to a folder of your own"):
        make_folders(str(tmp_path / "devrun" / "shop"))


def test_former_logs_are_kept_for_a_while(tmp_path):
    """In a child: it gives its own stdout away."""
    for number in range(FORMER + 2):
        child = os.fork()
        if not child:
            move_to_background(str(tmp_path))
            os.write(1, f"run {number}\n".encode())
            os._exit(0)
        os.waitpid(child, 0)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {
        "devrun.log": "run 4\n",
        "devrun.log.1": "run 3\n",
        "devrun.log.2": "run 2\n",
        "devrun.log.3": "run 1\n",
    }
    assert end_of_log(str(tmp_path)) == ["run 4"]


def test_a_log_that_is_not_there_has_no_end(tmp_path):
    assert end_of_log(str(tmp_path)) == []
