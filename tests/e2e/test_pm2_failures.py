"""What PM2 7 was found to do wrong, letter by letter; each is right here.

Most of these run an ecosystem file as a team has it; where devrun.toml is another way to the same
mistake, that is tested too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest
from running import program, until
from supervised import FAST, free_port, in_order, is_served, python, said_by, toml

pytestmark = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm"
)

QUIET = {"npm_config_update_notifier": "false"}


def stop(run, number=signal.SIGTERM):
    run.signal(number)
    assert run.wait() == -number


def ecosystem(folder, name="ecosystem.config.js", **attributes):
    """Write a file of one app, called web; return its name."""
    app = {"name": "web", **attributes}
    (folder / name).write_text(f"module.exports = {{ apps: [{json.dumps(app)}] }};\n")
    return name


def pids_of(run, name="web"):
    return [int(line.split()[1]) for line in said_by(run, name) if line.startswith("pid ")]


SERVER = """
const server = require('http').createServer((request, response) => response.end('ok'));
server.on('error', (error) => { console.log(error.code); process.exit(1); });
server.listen(process.env.PORT, '127.0.0.1', () => console.log('serves'));
setTimeout(() => process.exit(9), 60000);
"""


def test_a_a_killed_wrapper_leaves_no_server_on_the_port(devrun, tmp_path):
    port = free_port()
    (tmp_path / "srv.js").write_text(SERVER)
    file = ecosystem(tmp_path, script="echo pid $$; node srv.js; true", env={"PORT": str(port)})
    run = devrun("-f", file).wait_for("serves")
    for round_ in (1, 2):
        os.kill(pids_of(run)[-1], signal.SIGKILL)
        until(lambda n=round_: run.count("] serves") == n + 1, "the restart")
    assert "EADDRINUSE" not in run.text
    stop(run)
    assert not is_served(port)


@pytest.mark.parametrize("victim", ["devrun", "worker"])
def test_b_a_killed_supervisor_leaves_no_copy(devrun, tmp_path, victim):
    """Neither a quiet child nor a chatty one; and the next start runs one copy."""
    port = free_port()
    (tmp_path / "srv.js").write_text(SERVER)
    toml(
        tmp_path,
        f"""
        [services.web]
        command = "node srv.js"
        env = {{ PORT = {port} }}
        ready.port = {port}
        [services.chatty]
        command = "while true; do echo tick; sleep 0.05; done"
        """,
    )
    run = devrun().wait_for("ready after", "tick")
    os.kill(run.process.pid if victim == "devrun" else run.worker(), signal.SIGKILL)
    run.wait()
    until(lambda: not is_served(port), "the server's end")
    again = devrun().wait_for("ready after")
    stop(again)
    assert "EADDRINUSE" not in again.text


def test_c_a_crash_loop_ends_as_failed_and_says_so(devrun, tmp_path):
    """The settings of a real file, a tenth of their times."""
    file = ecosystem(
        tmp_path,
        script="echo the reason; exit 1",
        autorestart=True,
        max_restarts=10,
        min_uptime="10s",
        exp_backoff_restart_delay=5,
    )
    run = devrun("-f", file)
    assert run.wait() == 1
    assert run.count("restarted\n") == 10
    assert (
        "--> web failed: ended 11 times in a row within 10 s of starting; it said last:" in run.text
    )
    assert "-->   | the reason" in run.lines
    delays = [float(number) for number in re.findall(r"restarting in (\d+) ms", run.text)]
    assert delays == sorted(delays)
    assert len(delays) == 10


LATE = """
number=$(ls runs 2>/dev/null | wc -l); mkdir -p runs/$number; echo run $number
test $number -lt 3 && sleep 0.8; exit 1
"""


def test_d_a_crash_loop_that_begins_late_is_limited(devrun, tmp_path):
    """Three good lives, and then four short ones."""
    (tmp_path / "late.sh").write_text(LATE)
    file = ecosystem(tmp_path, script="sh late.sh", max_restarts=3, min_uptime=600, restart_delay=1)
    run = devrun("-f", file)
    assert run.wait() == 1
    assert run.count("] run ") == 7
    assert "web failed: ended 4 times in a row within 0.6 s of starting" in run.text


def test_e_a_stop_while_ready_is_waited_for_is_a_stop(devrun, tmp_path):
    (tmp_path / "app.js").write_text("console.log('begins'); setInterval(() => {}, 1000);")
    file = ecosystem(tmp_path, script="app.js", wait_ready=True, listen_timeout=60000)
    run = devrun("-f", file).wait_for("begins")
    stop(run)
    assert run.count("begins") == 1
    assert "restart" not in run.text


EATS = """
const fs = require('fs');
const size = fs.existsSync('ran') ? 1 : 250;
fs.writeFileSync('ran', '');
const block = Buffer.alloc(size << 20, 'x');
console.log('holds', block.length >> 20);
setTimeout(() => process.exit(9), 60000);
"""


def test_f_the_memory_of_the_server_counts_and_not_that_of_npm(devrun, tmp_path):
    (tmp_path / "app.js").write_text(EATS)
    (tmp_path / "package.json").write_text(
        json.dumps({"name": "x", "scripts": {"start": "node app.js"}})
    )
    file = ecosystem(tmp_path, script="npm", args="start", max_memory_restart="250M")
    run = devrun("-f", file, env_added=QUIET).wait_for("] holds 250", "] holds 1\n")
    in_order(run.text, "] holds 250", "more than its 250 MiB", " restarted", "] holds 1")
    stop(run)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("module.exports = { apps: [ { name: 'web', script: 'no-such-file.js' } ] };", 2),
        ("module.exports = { apps: [] };", 2),
        ("module.exports = { apps: [ { nam", 2),
        ("module.exports = { apps: [{ name: 'w', script: 'exit 1', autorestart: false }] };", 1),
        ("module.exports = { apps: [{ name: 'w', script: 'exit 7', autorestart: false }] };", 7),
        ("module.exports = { apps: [{ name: 'w', script: 'exit 0', autorestart: false }] };", 0),
    ],
    ids=["no script", "no apps", "no file", "1", "7", "0"],
)
def test_g_the_exit_code_tells_the_truth_at_once(devrun, tmp_path, text, code):
    (tmp_path / "ecosystem.config.js").write_text(text)
    run = devrun("-f", "ecosystem.config.js")
    found = run.wait()
    assert found == code or (code == 2 and found in (2, 127)), run.text
    assert "Traceback" not in run.text
    assert run.text.strip() or code == 0


def test_g_a_stop_is_an_end_by_the_signal(devrun, tmp_path):
    file = ecosystem(tmp_path, script="echo up; exec sleep 100")
    stop(devrun("-f", file).wait_for("] up"), signal.SIGINT)


def test_h_a_line_over_the_end_of_a_read_is_one_line(devrun, tmp_path):
    """Lines of 85 bytes do not fit evenly into reads of 64 KiB."""
    code = "import sys; [sys.stdout.write(f'{n:084}\\n') for n in range(100000)]"
    (tmp_path / "lines.py").write_text(code)
    toml(tmp_path, f'[services.web]\ncommand = "{sys.executable} lines.py"\nlog = "web.log"')
    run = devrun()
    assert run.wait() == 0
    expected = [f"{n:084}" for n in range(100_000)]
    assert said_by(run, "web")[: len(expected)] == expected
    assert (tmp_path / "web.log").read_text().splitlines() == expected


@pytest.mark.parametrize("settings", [{"log_date_format": "HH:mm"}, {"log_type": "json"}])
def test_h_no_byte_of_the_log_is_lost(devrun, tmp_path, settings):
    """Emoji over the ends of reads, and with the time or as JSON."""
    count = 50_000
    code = f"import sys; [sys.stdout.write(f'{{n}} 🚀✅…\\n') for n in range({count})]"
    (tmp_path / "lines.py").write_text(code)
    file = ecosystem(
        tmp_path,
        script="lines.py",
        interpreter=sys.executable,
        autorestart=False,
        log_file="web.log",
        **settings,
    )
    assert devrun("-f", file, stdout=subprocess.DEVNULL).wait() == 0
    lines = (tmp_path / "web.log").read_text().splitlines()
    if "log_type" in settings:
        texts = [json.loads(line)["text"] for line in lines]
    else:
        assert all(re.match(r"\d\d:\d\d ", line) for line in lines)
        texts = [line.partition(" ")[2] for line in lines]
    assert texts == [f"{n} 🚀✅…" for n in range(count)]


def test_h_a_normal_exit_is_no_signal(devrun, tmp_path):
    file = ecosystem(tmp_path, script="exit 0", autorestart=False)
    run = devrun("-f", file)
    assert run.wait() == 0
    assert "exited with code 0" in run.text
    assert "SIG" not in run.text


@pytest.mark.parametrize(
    ("wrong", "right"), [("max_restart", "max_restarts"), ("kil_timeout", "kill_timeout")]
)
def test_i_an_unknown_key_is_told_with_the_right_one(devrun, tmp_path, wrong, right):
    file = ecosystem(tmp_path, script="exit 0", autorestart=False, **{wrong: 5})
    run = devrun("-f", file)
    assert run.wait() == 0
    (line,) = [line for line in run.lines if wrong in line]
    assert f'"{right}"' in line or right in line.replace(wrong + '"', "")


def test_i_in_devruns_own_file_it_is_an_error(devrun, tmp_path):
    toml(tmp_path, '[services.web]\ncommand = "touch started"\nmax_restart = 5')
    run = devrun()
    assert run.wait() == 2
    assert 'unknown key "max_restart"; did you mean "max_restarts"?' in run.text
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ecosystem.config.mjs", "export default { apps: [APP] };"),
        ("ecosystem.config.js", "export default { apps: [APP] };"),
        ("ecosystem.config.mjs", "export const apps = [APP];"),
        ("ecosystem.config.mjs", "export default async () => ({ apps: [APP] });"),
        ("ecosystem.config.cjs", "module.exports = () => ({ apps: [APP] });"),
    ],
)
def test_j_an_export_default_loads(devrun, tmp_path, name, text):
    if name.endswith(".js"):
        (tmp_path / "package.json").write_text('{"type": "module"}')
    app = '{ name: "web", script: "echo loaded", autorestart: false }'
    (tmp_path / name).write_text(text.replace("APP", app))
    run = devrun("-f", name)
    assert run.wait() == 0
    assert "[web] loaded" in run.lines


def test_k_a_save_while_ready_is_waited_for_is_not_lost(devrun, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "value").write_text("1")
    (tmp_path / "app.js").write_text("""
        const fs = require('fs');
        console.log('read', fs.readFileSync('src/value', 'utf8'));
        const wait = () => fs.existsSync('go') ? process.send('ready') : setTimeout(wait, 20);
        wait();
        setTimeout(() => process.exit(9), 60000);
    """)
    file = ecosystem(
        tmp_path, script="app.js", wait_ready=True, listen_timeout=60000, watch=["src"]
    )
    run = devrun("-f", file).wait_for("read 1")
    for value in ("22", "333", "4444"):
        (tmp_path / "src" / "value").write_text(value)
        run.wait_for(f"read {value}")
    (tmp_path / "go").touch()
    run.wait_for("ready after")
    stop(run)
    assert said_by(run, "web")[-1] != "read 1"


def test_l_a_kill_is_not_taken_for_exit_code_0(devrun, tmp_path):
    script = "test -e ran && { echo again; exec sleep 100; }; touch ran; kill -9 $$"
    file = ecosystem(tmp_path, script=script, stop_exit_codes=[0], restart_delay=1)
    run = devrun("-f", file).wait_for("] again")
    assert "exited with code SIGKILL" in run.text
    stop(run)


def test_l_and_exit_code_0_is_what_it_says(devrun, tmp_path):
    file = ecosystem(tmp_path, script="echo run; exit 0", stop_exit_codes=[0])
    run = devrun("-f", file)
    assert run.wait() == 0
    assert run.count("[web] run") == 1


APP_OF_MESSAGES = """
process.on('message', (message) => { console.log('message', message); process.exit(0); });
process.on('SIGINT', () => { console.log('signal'); process.exit(0); });
process.on('SIGTERM', () => { console.log('signal'); process.exit(0); });
process.send('ready');
setTimeout(() => process.exit(9), 60000);
"""


@pytest.mark.parametrize("way", ["stop", "watch", "reload"])
def test_m_the_message_comes_on_every_way_to_stop(devrun, tmp_path, way):
    (tmp_path / "app.js").write_text(APP_OF_MESSAGES)
    file = ecosystem(
        tmp_path, script="app.js", wait_ready=True, shutdown_with_message=True, watch=["app.js"]
    )
    run = devrun("-f", file).wait_for("ready after")
    if way == "watch":
        (tmp_path / "app.js").write_text(APP_OF_MESSAGES + "// changed\n")
    elif way == "reload":
        assert devrun("reload", "web").wait() == 0
    if way != "stop":
        until(lambda: run.count("ready after") == 2, "the next generation")
        run.wait_for("message shutdown")
    stop(run)
    assert run.count("message shutdown") == (1 if way == "stop" else 2)
    assert "] signal" not in run.text


def test_n_what_does_not_exist_is_an_error_and_starts_nothing(devrun, tmp_path):
    file = ecosystem(tmp_path, script="touch started; exec sleep 100")
    run = devrun("-f", file, "--web")
    assert run.wait() == 2
    assert len(run.lines) == 1
    assert "--web" in run.lines[0]
    assert not (tmp_path / "started").exists()


def test_o_the_last_twenty_lines_are_twenty_however_long(devrun, tmp_path):
    """Lines of 600 bytes, of which PM2 showed eight."""
    code = "import sys; [print(f'line {n} ' + 'x' * 590) for n in range(40)]; sys.exit(3)"
    toml(
        tmp_path,
        f"""
        [services.web]
        command = {python(code)}
        restart = "on-failure"
        max_restarts = 1
        min_uptime = "60s"
        {FAST}
        """,
    )
    run = devrun()
    assert run.wait() == 3
    at = next(i for i, line in enumerate(run.lines) if line.startswith("--> web failed: "))
    shown = [line.split()[3] for line in run.lines[at + 1 :] if line.startswith("-->   | line")]
    assert shown[:20] == [str(n) for n in range(20, 40)]


def test_a_crash_of_one_of_two_does_not_touch_the_other(devrun, tmp_path):
    (tmp_path / "ecosystem.config.js").write_text(
        """
        module.exports = { apps: [
          { name: 'bad', script: 'exit 1', max_restarts: 2, restart_delay: 5 },
          { name: 'good', script: 'PROGRAM' },
        ] };
    """.replace("PROGRAM", program("says_signals"))
    )
    run = devrun("-f", "ecosystem.config.js").wait_for("READY", "bad failed: ")
    stop(run)
    assert run.count("[good] got ") == 1
