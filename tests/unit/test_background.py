"""What is other in a project that runs without a terminal."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devrun.control.background import (
    FORMER,
    LOOK_AFTER,
    NoPlace,
    OwnLog,
    close_inherited,
    end_of_log,
    in_background,
    make_folders,
    move_to_background,
)
from devrun.events import Notice, Output, Piece
from devrun.model import Project, Service
from devrun.output.log_desk import LoggedService, file_name_of, label_of
from devrun.policies import LogFile

WEB = Service(0, "web", "node web", "/", process="web")
OWN = LogFile("/var/log/own.log")


def services(*given):
    return in_background(Project("/", "devrun.toml", given), "/state").services


def test_a_service_gets_a_file_with_times_that_is_rotated():
    [found] = services(WEB)
    assert found.log is not None
    assert LoggedService("web", found.log).spelled("out") == "/state/logs/web.log"
    assert found.log.timestamps
    assert (found.log.max_size, found.log.keep_files) == (10 * 1024 * 1024, 5)


def test_one_that_has_a_file_keeps_it():
    [found] = services(replace(WEB, log=OWN))
    assert found.log == OWN


def test_instances_have_files_of_their_own():
    """The one that an instance shall have is not known before: a service may be scaled."""
    [found] = services(WEB)
    spelled = [LoggedService("web", found.log, number).spelled("out") for number in (1, 12)]
    assert spelled == ["/state/logs/web.1.log", "/state/logs/web.12.log"]


def test_commands_have_files_by_their_labels():
    found = services(Service(0, None, "a", "/"), Service(1, "x/y", "b", "/"))
    spelled = [LoggedService(each.label, each.log).spelled("out") for each in found]
    assert spelled == ["/state/logs/0.log", "/state/logs/x%2Fy.log"]


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


def in_a_child(do):
    """Do something that gives this process's own stdout away."""
    child = os.fork()
    if not child:
        try:
            do()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_former_logs_are_kept_for_a_while(tmp_path):
    for number in range(FORMER + 2):

        def run(number=number):
            move_to_background(str(tmp_path))
            os.write(1, f"run {number}\n".encode())

        in_a_child(run)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {
        "devrun.log": "run 4\n",
        "devrun.log.1": "run 3\n",
        "devrun.log.2": "run 2\n",
        "devrun.log.3": "run 1\n",
    }
    assert end_of_log(str(tmp_path)) == ["run 4"]


def test_a_log_that_becomes_too_long_is_begun_anew(tmp_path):
    def run():
        move_to_background(str(tmp_path))
        own = OwnLog(str(tmp_path), most=20)
        for number in range(3):
            os.write(1, f"about ten {number}\n".encode())
            for _ in range(LOOK_AFTER):
                own(Notice("something"))
                own(Output(0, 1, Piece.LINES, b"what services write is elsewhere\n"))

    in_a_child(run)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {
        "devrun.log": "about ten 2\n",
        "devrun.log.1": "about ten 0\nabout ten 1\n",
    }


def test_a_log_that_is_not_there_has_no_end(tmp_path):
    assert end_of_log(str(tmp_path)) == []


@given(st.text(st.sampled_from("ab%/_25F."), min_size=1))
def test_the_name_of_a_file_tells_the_label(label):
    assert os.sep not in file_name_of(label)
    assert label_of(file_name_of(label)) == label


def test_what_was_left_open_is_closed():
    kept, lost = os.pipe()

    def run():
        close_inherited(keep=(kept,))
        os.fstat(kept)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(lost)

    in_a_child(run)
    os.close(kept)
    os.close(lost)
