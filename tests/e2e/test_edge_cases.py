"""The edge cases of supervision by number: where each is tested, and tests for the rest.

The numbers are those of the list that the supervisor was designed with. ``PLACES`` names the tests
of other files; what is tested here carries its number in its name.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from running import marked, program, until
from supervised import FAST, free_port, in_order, is_served, python, said_by, toml

TESTS = Path(__file__).parents[1]

PLACES = {
    1: ["e2e/test_restarts.py::test_edge_1_and_2_which_ends_are_followed_by_a_start"],
    2: [
        "e2e/test_restarts.py::test_edge_1_and_2_which_ends_are_followed_by_a_start",
        "e2e/test_restarts.py::test_edge_2_devruns_own_stop_signal_is_no_failure",
    ],
    3: [
        "e2e/test_restarts.py::test_edge_3_seventeen_ends_at_once_are_failed_and_the_last_lines_are_shown"
    ],
    4: [
        "e2e/test_restarts.py::test_edge_4_a_crash_loop_after_a_long_good_life_is_limited_too",
        "unit/test_restarting.py::test_crashes_that_begin_after_days_are_limited_too",
    ],
    5: [
        "e2e/test_restarts.py::test_edge_5_an_end_after_min_uptime_is_no_fast_one",
        "unit/test_restarting.py::test_the_border_of_min_uptime",
    ],
    6: ["e2e/test_edge_cases.py::test_edge_6_a_clock_that_jumps"],
    7: [
        "e2e/test_restarts.py::test_edge_7_what_does_not_exist_is_not_tried_again",
        "e2e/test_restarts.py::test_edge_7_what_may_not_be_executed_and_a_folder_that_is_gone",
        "e2e/test_restarts.py::test_edge_7_text_file_busy_is_tried_again",
        "e2e/test_edge_cases.py::test_edge_7_no_process_to_be_had_is_tried_again",
        "e2e/test_edge_cases.py::test_edge_7_a_folder_that_is_removed_meanwhile",
    ],
    8: [
        "e2e/test_restarts.py::test_edge_8_a_save_ends_the_pause_and_the_count",
        "e2e/test_reload_edges.py::test_edge_50_a_reload_in_the_pause_before_a_restart_ends_the_pause",
    ],
    9: [
        "e2e/test_restarts.py::test_edge_9_a_stop_in_every_state",
        "e2e/test_reload.py::test_a_stop_during_a_reload_stops_both",
    ],
    10: ["e2e/test_edge_cases.py::test_edge_10_the_same_project_twice"],
    11: ["unit/test_machine.py::test_a_stop_beats_a_restart_that_has_begun"],
    12: [
        "e2e/test_readiness.py::test_edge_12_ready_and_gone_at_once",
        "unit/test_machine.py::test_ready_and_the_exit_may_come_together",
    ],
    13: ["e2e/test_readiness.py::test_edge_13_an_exit_before_ready_is_never_ready"],
    14: [
        "e2e/test_readiness.py::test_edge_14_ready_twice_is_said_once",
        "e2e/test_readiness.py::test_edge_14_a_sibling_cannot_make_it_ready",
        "e2e/test_reload_edges.py::test_edge_14_the_old_generation_cannot_make_the_new_one_ready",
        "unit/test_machine.py::test_ready_from_an_older_generation_is_none",
    ],
    15: ["e2e/test_readiness.py::test_edge_15_ready_after_the_time_is_over_is_too_late"],
    16: [
        "unit/test_node_ipc.py::test_a_message_of_one_mebibyte_passes_and_a_longer_one_does_not",
        "unit/test_node_ipc.py::test_a_line_without_an_end_is_given_up",
        "integration/test_node_ipc.py::test_garbage_closes_that_channel_alone",
    ],
    17: [
        "e2e/test_edge_cases.py::test_edge_17_a_child_that_closes_its_channel_gets_the_signal",
        "integration/test_node_ipc.py::test_a_program_that_is_killed_closes_its_end",
    ],
    18: ["integration/test_node_ipc.py::test_who_does_not_read_holds_nobody_up"],
    19: [
        "integration/test_notify_socket.py::test_a_stranger_is_not_heard_and_named_once",
        "integration/test_notify_socket.py::test_every_descriptor_that_comes_along_is_closed",
    ],
    20: [
        "e2e/test_readiness.py::test_edge_20_a_port_that_somebody_else_holds_is_named",
        "e2e/test_edge_cases.py::test_edge_20_a_port_that_an_earlier_run_left_is_named",
    ],
    21: ["e2e/test_readiness.py::test_edge_21_a_line_of_the_log_in_pieces_and_colours"],
    22: ["e2e/test_readiness.py::test_edge_22_a_probe_that_hangs_is_ended_with_all_it_started"],
    23: ["e2e/test_readiness.py::test_edge_23_one_failure_less_than_the_threshold_is_no_fault"],
    24: [
        "e2e/test_restarts.py::test_edge_24_a_server_whose_wrapper_was_killed_is_gone_before_the_restart"
    ],
    25: [
        "e2e/test_edge_cases.py::test_edge_25_what_left_its_session_is_gone_before_the_restart",
        "e2e/test_edge_cases.py::test_edge_25_a_daemon_that_nobody_can_attribute_ends_with_the_run",
        "e2e/test_survivors.py::test_nothing_survives",
    ],
    26: ["e2e/test_restarts.py::test_edge_26_a_grandchild_that_holds_the_output_hangs_nothing"],
    27: ["e2e/test_stopping.py::test_after_the_timeout_the_tree_is_killed_and_it_is_said"],
    28: [
        "e2e/test_stopping.py::test_a_stopped_process_can_be_stopped",
        "e2e/test_edge_cases.py::test_edge_28_a_stopped_process_is_restarted",
    ],
    29: [
        "e2e/test_edge_cases.py::test_edge_29_what_waits_for_the_kernel_is_killed",
        "unit/test_machine.py::test_a_tree_that_cannot_be_killed_is_given_up",
    ],
    30: [
        "e2e/test_edge_cases.py::test_edge_30_what_may_not_be_signalled_is_given_up_and_named",
        "e2e/test_edge_cases.py::test_edge_30_a_leftover_that_may_not_be_signalled_is_named",
        "e2e/test_edge_cases.py::test_edge_30_a_restart_behind_what_cannot_be_killed_is_a_failure",
        "e2e/test_edge_cases.py::test_edge_30_a_killed_devrun_does_not_claim_to_have_stopped_it",
        "integration/test_tree.py::test_what_may_not_be_signalled_is_out_of_reach",
    ],
    31: [
        "e2e/test_edge_cases.py::test_edge_31_what_forks_and_forks_is_swept_before_the_restart",
        "e2e/test_survivors.py::test_nothing_survives",
    ],
    32: ["integration/test_tree.py::test_a_signal_reaches_that_process_and_no_other"],
    33: [
        "e2e/test_survivors.py::test_nothing_survives",
        "e2e/test_survivors.py::test_a_killed_worker_makes_devrun_die_of_it_and_say_so",
        "e2e/test_stopping.py::test_hanging_up_the_terminal_stops_everything",
        "e2e/test_edge_cases.py::test_edge_33_and_34_no_service_outlives_devrun",
    ],
    34: [
        "e2e/test_survivors.py::test_a_killed_guardian_takes_all_with_it",
        "e2e/test_edge_cases.py::test_edge_33_and_34_no_service_outlives_devrun",
    ],
    35: ["e2e/test_stopping.py::test_as_pid_1_it_reaps_and_ends_with_the_code"],
    36: [
        "e2e/test_stopping.py::test_a_second_ctrl_c_kills",
        "e2e/test_dependencies.py::test_a_second_interrupt_kills_all_levels_at_once",
        "e2e/test_edge_cases.py::test_edge_36_ctrl_c_at_any_moment_of_the_start",
    ],
    37: [
        "e2e/test_stopping.py::test_ctrl_z_and_fg_stop_and_continue_the_processes",
        "e2e/test_edge_cases.py::test_edge_37_the_time_of_a_stop_by_ctrl_z_does_not_count",
    ],
    38: ["e2e/test_running.py::test_stdin_is_empty"],
    39: ["e2e/test_dependencies.py::test_edge_39_what_can_never_be_is_refused"],
    40: ["e2e/test_dependencies.py::test_edge_40_and_44_what_is_skipped_says_the_chain_and_counts"],
    41: [
        "e2e/test_dependencies.py::test_edge_41_a_dependency_that_restarts_while_its_dependant_starts"
    ],
    42: ["e2e/test_dependencies.py::test_edge_42_a_diamond_is_restarted_once"],
    43: [
        "e2e/test_dependencies.py::test_edge_43_a_stop_half_way_stops_what_has_started_and_starts_nothing"
    ],
    44: [
        "e2e/test_dependencies.py::test_edge_40_and_44_what_is_skipped_says_the_chain_and_counts",
        "e2e/test_dependencies.py::test_edge_44_a_skipped_service_is_a_failure_though_nothing_else_failed",
    ],
    45: ["e2e/test_reload.py::test_a_broken_build_leaves_the_former_one_serving"],
    46: [
        "e2e/test_reload_edges.py::test_edge_46_the_old_one_crashes_and_the_new_one_goes_on",
        "e2e/test_reload_edges.py::test_edge_46_a_crash_of_the_old_one_with_on_exit_does_not_end_the_run",
        "e2e/test_reload_edges.py::test_edge_46_what_depends_on_it_is_restarted_once",
        "e2e/test_reload_edges.py::test_edge_46_the_old_one_crashes_and_the_new_one_too",
        "e2e/test_reload_edges.py::test_edge_46_a_crash_after_the_exchange_is_a_crash_of_the_new_one",
    ],
    47: [
        "e2e/test_reload_edges.py::test_edge_47_two_reloads_at_once_follow_one_another",
        "e2e/test_reload_edges.py::test_edge_47_a_reload_behind_one_that_fails_is_tried_all_the_same",
        "e2e/test_reload_edges.py::test_edge_47_reloads_of_different_services_do_not_wait_for_each_other",
    ],
    48: ["e2e/test_reload.py::test_no_request_is_lost"],
    49: ["e2e/test_reload.py::test_a_new_generation_that_is_not_ready_in_time_is_given_up"],
    50: [
        "e2e/test_reload_edges.py::test_edge_50_a_reload_of_what_does_not_run_is_refused",
        "e2e/test_reload_edges.py::test_edge_50_a_reload_in_the_pause_before_a_restart_ends_the_pause",
    ],
    51: [
        "e2e/test_reload_edges.py::test_edge_51_other_instances_in_the_file_do_not_confuse_a_reload",
        "e2e/test_reload_edges.py::test_edge_51_an_instance_that_has_ended_does_not_keep_the_others_from_a_reload",
        "e2e/test_reload_edges.py::test_edge_51_an_instance_alone",
    ],
    52: ["unit/test_memory_limit.py::test_a_spike_of_one_sample_does_nothing"],
    53: ["e2e/test_memory.py::test_edge_53_a_limit_below_the_need_at_the_start_makes_no_storm"],
    54: ["e2e/test_memory.py::test_edge_54_what_processes_share_counts_once"],
    55: [
        "e2e/test_output.py::test_a_character_split_over_two_writes_stays_whole",
        "e2e/test_pm2_failures.py::test_h_a_line_over_the_end_of_a_read_is_one_line",
    ],
    56: ["e2e/test_output.py::test_a_last_line_without_a_line_feed_is_shown_and_ended"],
    57: ["e2e/test_output.py::test_of_a_progress_bar_a_pipe_gets_the_last_state"],
    58: ["e2e/test_output.py::test_a_line_of_ten_megabytes_is_one_line"],
    59: [
        "e2e/test_log_files_e2e.py::test_edge_59_a_full_disk_is_said_once_and_stops_nobody",
        "e2e/test_log_files_e2e.py::test_edge_59_a_disk_that_has_room_again_is_written_again",
        "e2e/test_output.py::test_a_full_disk_is_said_and_stops_the_run",
    ],
    60: ["e2e/test_log_files_e2e.py::test_edge_60_nothing_is_lost_by_rotation"],
    61: [
        "e2e/test_restarts.py::test_edge_61_a_save_during_the_start_is_not_lost",
        "e2e/test_restarts.py::test_edge_61_a_save_while_the_old_one_stops_is_read_by_the_next",
    ],
    62: [
        "e2e/test_watch.py::test_an_atomic_save_a_new_folder_and_a_recreated_root",
        "integration/test_watch.py::test_vims_way_to_save_is_a_change_of_one_file",
    ],
    63: ["e2e/test_log_files_e2e.py::test_edge_63_its_own_log_restarts_nobody"],
    64: [
        "e2e/test_log_files_e2e.py::test_edge_64_what_is_in_the_pipe_at_the_end_is_in_the_file",
        "e2e/test_output.py::test_the_end_of_a_process_is_not_the_end_of_its_pipe",
    ],
    65: [
        "e2e/test_output.py::test_a_stalled_reader_slows_the_writers_and_nothing_else",
        "e2e/test_output.py::test_a_reader_that_goes_away_is_a_quiet_stop",
        "e2e/test_log_files_e2e.py::test_edge_65_a_reader_that_does_not_read_does_not_hold_up_the_file",
    ],
}
"""Node ids below ``tests``, without parameters, by number."""


@pytest.mark.parametrize("number", PLACES)
def test_the_test_of_this_number_exists(number):
    for place in PLACES[number]:
        file, _, name = place.partition("::")
        text = (TESTS / file).read_text()
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), place


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


@pytest.fixture
def meddling(tmp_path):
    """Return variables with which Python runs some code before anything else."""

    def prepare(code):
        folder = tmp_path / "meddling"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(code)
        others = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": f"{folder}:{others}" if others else str(folder)}

    return prepare


JUMPS = """
import itertools, time
real = time.time
jumps = itertools.cycle((0, 86400, -86400, 3600))
time.time = lambda: real() + next(jumps)
"""


def test_edge_6_a_clock_that_jumps(devrun, tmp_path, meddling):
    """Days to and fro, at every look at it; what is waited for comes all the same."""
    toml(
        tmp_path,
        f"""
        timestamps = true
        [services.bad]
        command = "exit 3"
        restart = "on-failure"
        max_restarts = 3
        backoff = {{ initial = "50ms", jitter = 0 }}
        log = {{ file = "bad.log", timestamps = true, max_size = "1K", keep = "1d" }}
        [services.db]
        command = "{program("says_signals")}"
        ready.delay = "100ms"
        health = {{ exec = "true", interval = "50ms" }}
        [services.web]
        command = "echo web runs"
        depends_on = {{ db = "healthy" }}
        start_delay = "50ms"
        """,
    )
    run = devrun(env_added=meddling(JUMPS))
    run.wait_for("web runs", "bad failed: ended 4 times in a row within 1 s of starting")
    stop(run)
    assert re.findall(r"restarting in (\d+) ms", run.text) == ["50", "100", "200"]


NO_PROCESS = """
import errno, os, subprocess
real, left = subprocess._fork_exec, [2]
def fork_exec(*arguments):
    if left[0] and "echo web runs" in map(os.fsdecode, arguments[0]):
        left[0] -= 1
        raise OSError(errno.{error}, os.strerror(errno.{error}))
    return real(*arguments)
subprocess._fork_exec = fork_exec
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [("EAGAIN", "resource temporarily unavailable"), ("ENOMEM", "cannot allocate memory")],
)
def test_edge_7_no_process_to_be_had_is_tried_again(devrun, tmp_path, meddling, error, said):
    """The first two forks fail, as where the limit of processes, or of memory, is reached."""
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo web runs"
        restart = "on-failure"
        {FAST}
        """,
    )
    run = devrun(env_added=meddling(NO_PROCESS.format(error=error)))
    assert run.wait() == 0
    in_order(run.text.lower(), said, "restarting in 20 ms", "web runs")
    assert run.count("restarting in") == 2


def test_edge_7_a_folder_that_is_removed_meanwhile(devrun, tmp_path):
    """The restart finds it gone; the other services go on."""
    folder = tmp_path / "app"
    folder.mkdir()
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "echo up; until test -e ../go; do sleep 0.02; done; exit 3"
        cwd = "app"
        restart = "on-failure"
        max_restarts = 1
        min_uptime = "1h"
        {FAST}
        [services.other]
        command = "exec sleep 100"
        """,
    )
    run = devrun().wait_for("up")
    folder.rmdir()
    (tmp_path / "go").touch()
    run.wait_for("restarting in", f'no such folder: "{folder}"', "exited with code 127")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert run.count("] up") == 1


def test_edge_10_the_same_project_twice(devrun, tmp_path):
    """It is refused; with a name of its own each has its own processes, and stops them alone."""
    toml(tmp_path, f'[services.web]\ncommand = "{program("says_signals")}"\nready.log = "READY"')
    first = devrun().wait_for("ready after")
    refused = devrun()
    assert refused.wait() != 0
    assert "this project runs already" in refused.text
    assert "READY" not in refused.text
    second = devrun("--name", "second").wait_for("ready after")
    stop(first)
    assert "got " not in second.text
    stop(second)
    assert first.count("got SIGTERM") == second.count("got SIGTERM") == 1


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_edge_17_a_child_that_closes_its_channel_gets_the_signal(devrun, tmp_path):
    (tmp_path / "app.js").write_text("""
        process.on('message', (message) => console.log('message', message));
        process.on('SIGTERM', () => { console.log('got SIGTERM'); process.exit(0); });
        process.on('disconnect', () => console.log('disconnected'));
        process.send('ready');
        setTimeout(() => process.disconnect(), 50);
        setTimeout(() => process.exit(9), 60000);
    """)
    toml(
        tmp_path,
        """
        [services.web]
        command = "node app.js"
        ready.ipc = true
        stop.message = true
        """,
    )
    run = devrun().wait_for("ready after", "disconnected")
    stop(run)
    assert "[web] got SIGTERM" in run.lines


SERVES_AND_STAYS = """
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
signal.alarm(120)
while True:
    listener.accept()[0].close()
"""


def test_edge_20_a_port_that_an_earlier_run_left_is_named(devrun, tmp_path, mark):
    """Its devrun is gone and could not end it: it has been stopped for good."""
    port = free_port()
    toml(
        tmp_path,
        f"[services.web]\ncommand = {python(SERVES_AND_STAYS, port)}\nready.port = {port}",
        "first.toml",
    )
    toml(
        tmp_path,
        f'[services.web]\ncommand = "exec sleep 100"\nready = {{ port = {port}, timeout = "60s" }}',
    )
    first = devrun("-f", "first.toml").wait_for("ready after")
    second = devrun("--name", "second").wait_for(f"port {port}")
    (line,) = [line for line in said_by(second, "web") if f"port {port}" in line]
    assert "devrun" in line
    assert str(first.worker()) in line
    stop(second)
    stop(first)
    assert not is_served(port)


def test_edge_25_what_left_its_session_is_gone_before_the_restart(devrun, tmp_path, mark):
    """A process of a session of its own, whose parent has ended; each run sees its own alone."""
    sleep = f"sleep {1000 + int(mark[:6], 16)}"
    seen = f"ps -ww -eo args | grep '^{sleep}$'"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "setsid -f {sleep}; until {seen}; do :; done | wc -l; {seen} | wc -l; exit 3"
        restart = "on-failure"
        max_restarts = 2
        min_uptime = "inf"
        stop.timeout = "300ms"
        {FAST}
        """,
    )
    run = devrun()
    assert run.wait() == 3
    counts = [line for line in said_by(run, "web") if line.isdigit()]
    assert counts == ["1"] * 6


def test_edge_25_a_daemon_that_nobody_can_attribute_ends_with_the_run(devrun, tmp_path, mark):
    """It was forked twice, and has a session and an environment of its own: a restart of its
    service leaves it, because it could be any service's. The end of the run does not."""
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("daemon", mark)}; exit 3"
        restart = "on-failure"
        max_restarts = 1
        min_uptime = "1h"
        {FAST}
        [services.other]
        command = "exec sleep 100"
        stop.timeout = "300ms"
        """,
    )
    run = devrun().wait_for("web failed: ended 2 times")
    daemons = [pid for pid, command in marked(mark).items() if command.endswith(mark)]
    assert len(daemons) == run.count("] READY") == 2
    stop(run)
    assert not [pid for pid in daemons if pid in marked(mark)]
    assert all(f"{pid} " in run.text for pid in daemons)


def test_edge_28_a_stopped_process_is_restarted(devrun, tmp_path):
    (tmp_path / "code").write_text("1")
    toml(
        tmp_path,
        '[services.web]\ncommand = "echo pid $$; exec sleep 100"\nwatch = ["code"]',
    )
    run = devrun().wait_for("pid ")
    os.kill(int(said_by(run, "web")[0].split()[1]), signal.SIGSTOP)
    (tmp_path / "code").write_text("22")
    until(lambda: run.count("] pid ") == 2, "the restart")
    stop(run)
    assert "did not end" not in run.text


WAITS_FOR_THE_KERNEL = """
# Until the process that is spawned can open its stdin, vfork(2) keeps the one that spawns in state
# D: it runs no handlers.
signal.signal(signal.SIGTERM, print)
os.mkfifo("never")
print("pid", os.getpid(), flush=True)
opens = (os.POSIX_SPAWN_OPEN, 0, "never", os.O_RDONLY, 0)
os.posix_spawn("/bin/true", ["true"], os.environ, file_actions=[opens])
"""


def test_edge_29_what_waits_for_the_kernel_is_killed(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(WAITS_FOR_THE_KERNEL)}
        stop.timeout = "200ms"
        """,
    )
    run = devrun().wait_for("pid ")
    stat = Path(f"/proc/{said_by(run, 'web')[0].split()[1]}/stat")
    until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "D", "state D")
    stop(run)
    assert "web did not end within 0.2 s" in run.text
    assert "cannot be killed" not in run.text
    assert "could not be stopped" not in run.text


OF_ANOTHER_USER = "setpriv --reuid=65534 --clear-groups sh -c 'echo pid $$; exec sleep 100'"


@pytest.fixture
def powerless(tmp_path, mark):
    """Start devrun where it cannot signal the processes of others; they are ended afterwards."""
    pids = []

    @contextmanager
    def start():
        may_not = ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"]
        run = subprocess.Popen(
            [*may_not, sys.executable, "-m", "devrun"],
            cwd=tmp_path,
            env=dict(os.environ, RUN_MARK=mark),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with run:
            try:
                while not (begins := re.search(r"\] pid (\d+)$", run.stdout.readline())):
                    assert run.poll() is None
                pids.append(int(begins[1]))
                process = Path(f"/proc/{pids[0]}")
                until(lambda: (process / "cmdline").read_bytes() == b"sleep\x00100\x00", "sleep")
                until(lambda: b") S " in (process / "stat").read_bytes(), "its sleep")
                yield run, pids[0]
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
                run.kill()

    return start


def left_over(pid):
    """Return what is said at the end of a process that may not be signalled."""
    return (
        f"devrun: could not be stopped: "
        f"pid {pid} (sleep 100), state S, which devrun may not signal\n"
    )


def test_edge_30_what_may_not_be_signalled_is_given_up_and_named(tmp_path, powerless):
    """devrun cannot signal the processes of others, and the service is another's."""
    toml(
        tmp_path,
        f"""
        [services.other]
        command = "exec {OF_ANOTHER_USER}"
        stop.timeout = "100ms"
        """,
    )
    with powerless() as (run, pid):
        run.send_signal(signal.SIGTERM)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == -signal.SIGTERM, said
    assert f"[other] cannot be killed: pid {pid} (sleep 100), state S" in said
    assert said.endswith(left_over(pid))
    assert "Stopped what" not in said
    assert "Traceback" not in said


def test_edge_30_a_leftover_that_may_not_be_signalled_is_named(tmp_path, powerless):
    """What was left by what had ended is no more stopped than a service is."""
    toml(
        tmp_path,
        f"""
        [services.other]
        command = "{OF_ANOTHER_USER} & true"
        stop.timeout = "100ms"
        """,
    )
    with powerless() as (run, pid):
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 0, said
    assert said.endswith(left_over(pid))
    assert "Stopped what" not in said


def test_edge_30_a_restart_behind_what_cannot_be_killed_is_a_failure(tmp_path, powerless):
    """There is no second one beside the first, and the exit code says so."""
    (tmp_path / "code").write_text("1")
    toml(
        tmp_path,
        f"""
        [services.other]
        command = "exec {OF_ANOTHER_USER}"
        stop.timeout = "100ms"
        watch = ["code"]
        """,
    )
    with powerless() as (run, pid):
        (tmp_path / "code").write_text("22")
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 1, said
    in_order(said, "code changed, restarting", f"cannot be killed: pid {pid}", left_over(pid))
    assert said.count("] pid ") == 0, "the first line has been read"


def test_edge_30_a_killed_devrun_does_not_claim_to_have_stopped_it(tmp_path, powerless):
    toml(tmp_path, f'[services.other]\ncommand = "exec {OF_ANOTHER_USER}"')
    with powerless() as (run, pid):
        children = Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGKILL)
        said, _ = run.communicate(timeout=60)
    assert run.returncode == -signal.SIGKILL
    assert said.endswith(f"devrun: killed by SIGKILL\n{left_over(pid)}")


def test_edge_31_what_forks_and_forks_is_swept_before_the_restart(devrun, tmp_path):
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "{program("forks_in_a_loop")} & until test -e go; do sleep 0.02; done; exit 3"
        restart = "on-failure"
        max_restarts = 1
        min_uptime = "inf"
        stop.timeout = "100ms"
        {FAST}
        """,
    )
    run = devrun().wait_for("READY")
    (tmp_path / "go").touch()
    assert run.wait() == 3
    assert run.count("restarted\n") == 1


@pytest.mark.parametrize("victim", ["worker", "guardian"])
def test_edge_33_and_34_no_service_outlives_devrun(devrun, tmp_path, victim):
    """Services with sockets, channels, logs and probes; the fixture looks for survivors."""
    port = free_port()
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(SERVES_AND_STAYS, port)}
        ready.port = {port}
        log = "web.log"
        max_memory = "1G"
        [services.held]
        command = "echo held; exec sleep 100"
        sockets = ["tcp:127.0.0.1:{free_port()}"]
        [services.asked]
        command = "exec sleep 100"
        health = {{ exec = "sleep 100", timeout = "60s" }}
        [services.after]
        command = "echo all; exec sleep 100"
        depends_on = ["web", "held", "asked"]
        """,
    )
    run = devrun().wait_for("[after] all", "[held ] held")
    os.kill(run.worker() if victim == "worker" else run.process.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not is_served(port), "the end of the server")


@pytest.mark.parametrize("moment", range(6))
def test_edge_36_ctrl_c_at_any_moment_of_the_start(devrun, tmp_path, moment):
    """Whatever has been started by then ends, and nothing else starts."""
    toml(
        tmp_path,
        f"""
        [defaults]
        command = "{program("says_signals")}"
        ready.log = "READY"
        [services]
        a = {{}}
        b.depends_on = ["a"]
        c.depends_on = ["b"]
        """,
    )
    run = devrun()
    for text in ["[a] READY", "[a] ready", "[b] READY", "[b] ready", "[c] READY"][:moment]:
        run.wait_for(text)
    if not moment:
        run.worker()
    run.signal(signal.SIGINT)
    assert run.wait() == -signal.SIGINT
    assert run.count("READY") == run.count("got SIGINT") or not moment
    assert "did not end" not in run.text


def test_edge_37_the_time_of_a_stop_by_ctrl_z_does_not_count(tmp_path, mark):
    """It is stopped for longer than it has to become ready."""
    toml(
        tmp_path,
        """
        [services.web]
        command = "echo begins; until test -e go; do sleep 0.02; done; echo up; exec sleep 100"
        ready = { log = "up", timeout = "2s" }
        """,
    )
    shell = pexpect.spawn(
        "bash --norc --noprofile",
        cwd=str(tmp_path),
        env=dict(os.environ, RUN_MARK=mark, PS1="$ ", TERM="dumb", NO_COLOR="1"),
        timeout=30,
    )
    try:
        shell.sendline(f"{sys.executable} -m devrun")
        shell.expect("begins")
        shell.send("\x1a")
        shell.expect("Stopped")
        before = _uptime()
        until(lambda: _uptime() > before + 2.2, "the passing of time")
        (tmp_path / "go").touch()
        shell.sendline("fg")
        shell.expect(r"\[web\] ready after")
        assert b"not ready within" not in shell.before
        shell.send("\x03")
        shell.expect("exited with code SIGINT")
    finally:
        shell.close(force=True)


def _uptime():
    return float(Path("/proc/uptime").read_text().split()[0])
