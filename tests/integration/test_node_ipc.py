"""Node's IPC with real Node programs: started directly, by a shell, by npm; and with bad peers."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import signal
import socket
import subprocess
from contextlib import suppress

import pytest
import trio

from devrun.process.node.ipc import MOST_UNREAD, SHIM, Closed, Message, NodeIpc, Ready, node_options
from devrun.process.private_folder import PrivateFolder

LIMIT = 60

APP = """
process.on('message', (message) => {
  if (message === 'shutdown') process.exit(7);
  process.send({ heard: message });
});
process.send('ready');
"""

LISTENS = {"cmd": "NODE_DEVRUN", "listens": True}


@pytest.fixture
def ipc():
    folder = PrivateFolder.make(os.environ)
    opened = NodeIpc.open(folder, "0.1.ipc")
    yield opened
    opened.close()
    folder.remove()


@pytest.fixture
def start(ipc, tmp_path):
    """Start programs in ``tmp_path``; none is left at the end, and none has said anything."""
    started = []

    def start(*argv: str, **more: str) -> subprocess.Popen[str]:
        # No request to see whether npm itself is new enough, which it would say at times.
        environ = {**os.environ, "npm_config_update_notifier": "false", **more}
        process = subprocess.Popen(
            argv,
            cwd=tmp_path,
            env={**environ, **ipc.variables(environ)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture
def node(start, tmp_path):
    """Start a Node program of that text."""

    def node(text: str, **more: str) -> subprocess.Popen[str]:
        (tmp_path / "app.js").write_text(text)
        return start("node", "app.js", **more)

    return node


def finish(process) -> tuple[int, str]:
    """Wait for a program's end; return its exit code and all it has printed."""
    output, _ = process.communicate(timeout=LIMIT)
    return process.returncode, output


async def hear(ipc, *expected) -> list[object]:
    """Return what is heard until all that is expected has been."""
    found = []
    with trio.fail_after(LIMIT):
        while any(found.count(each) < expected.count(each) for each in expected):
            found += await ipc.hear()
    return found


async def until_it_listens(ipc) -> None:
    """Wait for a program to listen; nothing else may be heard meanwhile."""
    with trio.fail_after(LIMIT):
        while not ipc.is_heard:
            await trio.lowlevel.wait_readable(ipc._wakes())
            assert ipc.receive() == []


def connect(ipc) -> socket.socket:
    """Connect as a program would."""
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect(ipc.path)
    return peer


def say(peer, value) -> None:
    peer.sendall(json.dumps(value).encode() + b"\n")


# -- ways to start a program ----------------------------------------------------------------------


def ways() -> dict[str, list[str]]:
    found = {
        "node": ["node", "app.js"],
        "node with options": ["node", "--enable-source-maps", "./app.js", "--port", "3000"],
        "ES module": ["node", "app.mjs"],
        "shell": ["sh", "-c", "cd . && node app.js"],
        "env": ["env", "-u", "HOME", "PORT=3000", "node", "app.js"],
        "python": ["python3", "-c", "import subprocess as s; s.run(['node', 'app.js'])"],
        "npm": ["npm", "start"],
        "npm in npm": ["npm", "run", "outer"],
        "npx": ["npx", "--no", "app"],
    }
    package_managers = {name: [name, "start"] for name in ("pnpm", "yarn") if shutil.which(name)}
    return {**found, **package_managers}


@pytest.fixture
def package(tmp_path):
    (tmp_path / "app.js").write_text(APP)
    (tmp_path / "app.mjs").write_text("import process from 'node:process';\n" + APP)
    scripts = {"start": "node app.js", "outer": "npm run start"}
    text = {"name": "app", "version": "1.0.0", "private": True, "scripts": scripts}
    (tmp_path / "package.json").write_text(json.dumps(text))
    commands = tmp_path / "node_modules" / ".bin"
    commands.mkdir(parents=True)
    (commands / "app").write_text("#!/usr/bin/env node\n" + APP)
    (commands / "app").chmod(0o755)


@pytest.mark.parametrize("argv", ways().values(), ids=ways().keys())
@pytest.mark.usefixtures("package")
async def test_ready_and_shutdown_get_through(ipc, start, argv):
    process = start(*argv)
    assert await hear(ipc, Ready()) == [Ready()]
    assert ipc.send_nowait({"n": [1, None, "ü😀\u2028"]})
    answer = Message({"heard": {"n": [1, None, "ü😀\u2028"]}})
    assert await hear(ipc, answer) == [answer]
    assert ipc.send_nowait("shutdown")
    assert await hear(ipc, Closed(None)) == [Closed(None)]
    code, output = finish(process)
    assert code == (0 if argv[0] == "python3" else 7)
    if argv[0] not in {"npm", "npx", "pnpm", "yarn"}:
        assert output == ""


@pytest.mark.parametrize(
    ("script", "passed_over"),
    [
        ("npm/bin/npm-cli.js", True),
        ("npm/bin/npx-cli.js", True),
        ("pnpm/bin/pnpm.cjs", True),
        ("corepack/dist/pnpm.js", True),
        ("bin/yarn", True),
        (".yarn/releases/yarn-4.1.0.cjs", True),
        ("npm/index.js", False),
        ("my-npm.js", False),
        ("yarnspinner.js", False),
    ],
)
def test_package_managers_are_told_by_their_script(start, tmp_path, script, passed_over):
    (tmp_path / script).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / script).write_text("console.log(typeof process.send)")
    expected = "undefined\n" if passed_over else "function\n"
    assert finish(start("node", script)) == (0, expected)


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("argv", [["npm", "run"], ["npx", "--no", "--version"], ["npm", "ls"]])
def test_package_managers_do_not_take_the_channel(ipc, start, argv):
    assert finish(start(*argv))[0] == 0
    assert ipc.receive() == []


def test_a_program_that_does_not_use_it_is_neither_connected_nor_kept_alive(ipc, node):
    assert finish(node("console.log(process.connected, typeof process.send)")) == (
        0,
        "true function\n",
    )
    assert ipc.receive() == []


@pytest.mark.parametrize("place", ["plain", 'with a "blank" \\and', "mit ümlaut 'and'"])
def test_the_shim_is_found_wherever_it_lies(ipc, start, tmp_path, place):
    (tmp_path / place).mkdir()
    shim = shutil.copy(SHIM, tmp_path / place / "shim.cjs")
    options = node_options("--title=kept", shim=str(shim))
    environ = {**os.environ, **ipc.variables({}), "NODE_OPTIONS": options}
    result = subprocess.run(
        ["node", "-p", "[process.title, typeof process.send]"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[ 'kept', 'function' ]\n"
    assert result.stderr == ""


def test_the_users_node_options_still_hold(node):
    process = node("console.log(process.title)", NODE_OPTIONS='--title="two words"')
    assert finish(process) == (0, "two words\n")


# -- messages -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["process.send('ready')", "import('x').catch(()=>0); f()"])
async def test_ready_is_heard_though_the_program_exits_in_the_same_tick(ipc, node, text):
    process = node(f"const f = () => process.send('ready'); {text}; process.exit(3)")
    assert await hear(ipc, Ready(), Closed(None)) == [Ready(), Closed(None)]
    assert finish(process) == (3, "")


async def test_a_large_message_arrives_whole_and_the_next_behind_it(ipc, node):
    process = node("process.send('x'.repeat(1e6)); process.send('ready')")
    heard = await hear(ipc, Closed(None))
    assert heard == [Message("x" * 1_000_000), Ready(), Closed(None)]
    assert finish(process) == (0, "")


async def test_a_hundred_thousand_messages_keep_their_order(ipc, node):
    process = node("for (let n = 0; n < 1e5; n++) process.send(n)")
    heard = await hear(ipc, Closed(None))
    assert heard == [*map(Message, range(100_000)), Closed(None)]
    assert finish(process) == (0, "")


async def test_only_the_bare_word_is_ready(ipc, node):
    node("for (const m of ['Ready', {ready: 1}, ['ready'], null, 'ready']) process.send(m)")
    heard = await hear(ipc, Closed(None))
    values = ["Ready", {"ready": 1}, ["ready"], None]
    assert heard == [*map(Message, values), Ready(), Closed(None)]


async def test_nodes_own_messages_are_kept_from_us(ipc, node):
    node("process.send({cmd: 'NODE_X'}); process.send('ready')")
    assert await hear(ipc, Closed(None)) == [Ready(), Closed(None)]


async def test_half_a_surrogate_pair_is_heard(ipc, node):
    node("process.send('\\ud83d')")
    assert await hear(ipc, Closed(None)) == [Message("\ud83d"), Closed(None)]


async def test_the_callback_of_send_is_called(ipc, node):
    process = node(
        "process.send(1, (e) => console.log(e));"
        "process.send(2, undefined, {}, (e) => { console.log(e); process.disconnect(); });"
        "process.on('disconnect', () => process.send(3, (e) => console.log(e.code)));"
    )
    heard = await hear(ipc, Closed(None))
    assert heard == [Message(1), Message(2), Closed(None)]
    assert finish(process) == (0, "null\nnull\nERR_IPC_CHANNEL_CLOSED\n")


@pytest.mark.parametrize("value", ["", "undefined", "() => 1", "Symbol('x')", "1n"])
def test_what_node_cannot_send_is_refused_alike(ipc, node, value):
    text = "try { process.send(%s) } catch (e) { console.log(e.name, e.code) }"
    assert finish(node(text % value)) == (0, "TypeError ERR_INVALID_ARG_TYPE\n")


# -- listening ------------------------------------------------------------------------------------


async def test_who_sends_and_listens_is_kept_alive_until_the_channel_closes(ipc, node):
    process = node(
        "process.on('message', (m) => process.send(m)); process.send('ready');"
        "process.on('disconnect', () => console.log('alone', process.connected))"
    )
    assert await hear(ipc, Ready()) == [Ready()]
    assert ipc.send_nowait(1)
    assert await hear(ipc, Message(1)) == [Message(1)]
    assert process.poll() is None
    ipc.close()
    assert finish(process) == (0, "alone false\n")


async def test_a_tool_that_listens_in_case_it_was_forked_is_not_kept_alive(ipc, node):
    process = node("process.on('message', (m) => { if (m === 'shutdown') process.exit(1) })")
    assert finish(process) == (0, "")
    assert await hear(ipc, Closed(None)) == [Closed(None)]


async def test_a_program_may_hold_on_to_the_channel(ipc, node):
    process = node("process.on('message', (m) => process.exit(m)); process.channel.ref()")
    await until_it_listens(ipc)
    assert ipc.send_nowait(3)
    assert finish(process) == (3, "")


async def test_who_has_stopped_listening_ends_and_gets_nothing(ipc, node):
    process = node(
        "process.once('message', (m) => { console.log(m); process.send('got') });"
        "process.send('ready')"
    )
    assert await hear(ipc, Ready()) == [Ready()]
    assert ipc.send_nowait("one")
    assert await hear(ipc, Closed(None)) == [Message("got"), Closed(None)]
    assert not ipc.is_heard
    assert not ipc.send_nowait("two")
    assert finish(process) == (0, "one\n")


async def test_a_program_may_let_go_of_the_channel(ipc, node):
    process = node("process.on('message', () => {}); process.send(1); process.channel.unref()")
    assert await hear(ipc, Closed(None)) == [Message(1), Closed(None)]
    assert finish(process) == (0, "")


async def test_a_listener_that_throws_ends_the_program_as_ever(ipc, node):
    process = node(
        "process.on('message', () => { throw new Error('mine') }); process.send('ready')"
    )
    assert await hear(ipc, Ready()) == [Ready()]
    assert ipc.send_nowait(1)
    code, output = finish(process)
    assert code == 1
    assert "Error: mine" in output
    assert "shim" not in output.split("\n")[0]


async def test_a_program_that_only_sends_is_not_counted_on_to_hear(ipc, node):
    node("process.send('ready'); setInterval(() => {}, 1e6)")
    assert await hear(ipc, Ready()) == [Ready()]
    assert not ipc.is_heard
    assert not ipc.send_nowait("shutdown")


async def test_two_messages_in_one_piece_are_two_events(ipc, node):
    process = node(
        "process.once('message', (m) => process.once('message', (n) => console.log(m, n)));"
        "process.send('ready')"
    )
    assert await hear(ipc, Ready()) == [Ready()]
    ipc.send_nowait(1)
    ipc.send_nowait(2)
    assert finish(process) == (0, "1 2\n")


# -- what the program starts itself ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "expected"),
    [("process.send('ready')", [Ready()]), ("process.send('boot')", [Message("boot"), Ready()])],
    ids=["the application", "a wrapper"],
)
async def test_what_the_application_starts_is_not_taken_for_it(ipc, node, first, expected):
    process = node(
        "if (process.argv[2]) { if (process.send) process.send('ready'); process.exit(); }"
        f"process.on('message', () => {{}}); {first};"
        "require('child_process').spawn(process.execPath, [__filename, 'child'])"
        "  .on('exit', () => process.exit(4))"
    )
    heard = await hear(ipc, *expected, *[Closed(None)] * len(expected))
    assert [each for each in heard if not isinstance(each, Closed)] == expected
    assert finish(process) == (4, "")
    assert ipc.receive() == []


async def test_a_forked_child_talks_to_its_parent(ipc, node):
    process = node(
        "if (process.argv[2]) { process.send('ready'); }"
        "else { const child = require('child_process').fork(__filename, ['child']);"
        "  child.on('message', (m) => console.log('parent heard', m)); }"
    )
    assert finish(process) == (0, "parent heard ready\n")
    assert ipc.receive() == []


def test_a_worker_thread_has_no_channel_as_ever(ipc, node):
    process = node(
        "const { Worker, isMainThread } = require('worker_threads');"
        "if (isMainThread) new Worker(__filename); else console.log(typeof process.send)"
    )
    assert finish(process) == (0, "undefined\n")
    assert ipc.receive() == []


async def test_workers_of_a_cluster_talk_to_their_primary(ipc, node):
    process = node(
        "const cluster = require('cluster');"
        "if (cluster.isPrimary) {"
        "  cluster.fork().on('message', (m) => { process.send(m); cluster.disconnect(); });"
        "} else process.send('ready')"
    )
    assert await hear(ipc, Closed(None)) == [Ready(), Closed(None)]
    assert finish(process) == (0, "")


# -- what goes wrong ------------------------------------------------------------------------------


def test_a_program_that_outlives_the_channel_is_not_disturbed(ipc, start, tmp_path):
    (tmp_path / "app.js").write_text(
        "process.on('message', () => {}); process.on('disconnect', () => console.log('alone'));"
        "console.log(process.send('ready', (e) => console.log(e instanceof Error)))"
    )
    os.unlink(ipc.path)
    code, output = finish(start("node", "app.js"))
    assert code == 0
    assert sorted(output.split()) in (
        ["alone", "false", "true"],
        ["alone", "true", "true"],
    )


def test_a_program_without_the_variable_is_as_ever(start, tmp_path):
    script = "console.log(typeof process.send, process.connected)"
    process = start("env", "-u", "DEVRUN_IPC", "node", "-e", script)
    assert finish(process) == (0, "undefined undefined\n")


async def test_a_program_that_is_killed_closes_its_end(ipc, node):
    process = node(APP)
    await hear(ipc, Ready())
    process.kill()
    assert await hear(ipc, Closed(None)) == [Closed(None)]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xfe\n", "a message is no JSON"),
        (b"GET / HTTP/1.1\r\n", "a message is no JSON"),
        (b"[" * 100_000 + b"\n", "a message is no JSON"),
        (b"x" * (1 << 20) + b"y", "a message is longer than 1 MiB"),
    ],
    ids=["bytes", "http", "deep", "endless"],
)
async def test_garbage_closes_that_channel_alone(ipc, data, reason):
    with connect(ipc) as other, connect(ipc) as peer:
        say(other, LISTENS)
        say(peer, "ready")
        assert await hear(ipc, Ready()) == [Ready()]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, send_as_far_as_possible, peer, data)
            with trio.fail_after(LIMIT):
                (closed,) = await ipc.hear()
        assert closed.reason.startswith(reason)
        assert "\n" not in closed.reason
        assert ipc.send_nowait("still there")
        assert other.recv(100) == b'"still there"\n'


def send_as_far_as_possible(peer, data: bytes) -> None:
    with suppress(ConnectionError):
        peer.sendall(data)


async def test_who_does_not_read_holds_nobody_up(ipc):
    with connect(ipc) as reads, connect(ipc) as deaf:
        say(reads, LISTENS)
        await until_it_listens(ipc)
        say(deaf, LISTENS)
        heard = []
        for _ in range(100):
            assert ipc.send_nowait("x" * 65_533)
            assert len(reads.recv(65_536, socket.MSG_WAITALL)) == 65_536
            heard += ipc.receive()
        assert len(heard) == 1
        assert "unread" in heard[0].reason


async def test_a_deaf_program_is_told_of_and_counts_no_more(ipc):
    with connect(ipc) as deaf:
        say(deaf, LISTENS)
        await until_it_listens(ipc)
        sent = 0
        while ipc.send_nowait("x" * 1000):
            sent += 1
            assert sent < 10_000
        assert not ipc.is_heard
        closed = Closed(f"it left more than {MOST_UNREAD // 1024} KiB of messages unread")
        assert await hear(ipc, closed) == [closed]


async def test_a_slow_reader_gets_everything(ipc):
    with connect(ipc) as slow:
        say(slow, LISTENS)
        await until_it_listens(ipc)
        expected = b""
        while not ipc._connections[0].unsent:
            assert ipc.send_nowait("y" * 50_000)
            expected += b'"' + b"y" * 50_000 + b'"\n'
        got = b""
        while len(got) < len(expected):
            got += slow.recv(65_536)
            assert ipc.receive() == []
        assert got == expected


async def test_a_message_wakes_the_reader_and_closing_ends_the_reading(ipc):
    heard = []

    async def listen():
        while part := await ipc.hear():
            heard.extend(part)

    with trio.fail_after(LIMIT), connect(ipc) as peer:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(listen)
            await trio.testing.wait_all_tasks_blocked()
            say(peer, "ready")
            while not heard:
                await trio.testing.wait_all_tasks_blocked()
            ipc.close()
    assert heard == [Ready()]
    assert ipc.receive() == []
    assert not ipc.send_nowait("x")


def test_too_many_connections_are_refused_without_a_word(ipc):
    peers = [connect(ipc) for _ in range(64)]
    for _ in range(64):
        assert ipc.receive() == []
    with connect(ipc) as late:
        assert ipc.receive() == []
        assert late.recv(1) == b""
    for peer in peers:
        peer.close()


def test_without_a_descriptor_to_spare_nobody_is_accepted_and_that_is_said(ipc):
    with connect(ipc):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            heard = ipc.receive()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert heard == [Closed("cannot accept its connection: too many open files")]
        assert ipc.receive() == []


def test_only_its_user_can_reach_the_socket(ipc):
    assert os.stat(ipc.path).st_mode & 0o777 == 0o600
    assert os.stat(os.path.dirname(ipc.path)).st_mode & 0o777 == 0o700


def test_the_environment_gets_the_path_and_the_shim(ipc):
    variables = ipc.variables({"NODE_OPTIONS": "--inspect"})
    assert variables["DEVRUN_IPC"] == ipc.path
    assert shlex.split(variables["NODE_OPTIONS"]) == ["--require", SHIM, "--inspect"]
