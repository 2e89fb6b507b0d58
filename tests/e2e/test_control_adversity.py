"""Clients that leave, flood, or take all there is do no harm; nor do bytes that are no UTF-8."""

from __future__ import annotations

import json
import os
import resource
import socket

import pytest
from api import Api, can_be_asked, close_all, sockets_in
from running import until
from supervised import python, toml
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage

MIB = 1024 * 1024


@pytest.fixture
def runtime(tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    folder.chmod(0o700)
    return folder


@pytest.fixture
def start(devrun, runtime):
    """Start devrun; return the run and where it can be asked."""

    def start(*words, **options):
        run = devrun(*words, env_added={"XDG_RUNTIME_DIR": str(runtime)}, **options)
        until(lambda: sockets_in(runtime) and can_be_asked(sockets_in(runtime)[0]), "it listens")
        return run, sockets_in(runtime)[0]

    yield start
    close_all()


@pytest.fixture
def ask(devrun, runtime):
    """Run a command to its end; return its exit code and what it said."""

    def do(*words, cwd=None):
        run = devrun(*words, env_added={"XDG_RUNTIME_DIR": str(runtime)}, cwd=cwd)
        return run.wait(), run.text

    return do


def pid_of(path):
    return json.loads((path.parent / "project").read_text())["pid"]


def descriptors(path):
    """Return the numbers of devrun's open descriptors."""
    return {int(name) for name in os.listdir(f"/proc/{pid_of(path)}/fd")}


def connections(path):
    """Return how many clients devrun has, as the kernel knows it (proc_net_unix(5))."""
    with open("/proc/net/unix") as file:
        return sum(line.endswith(f" {path}\n") for line in file) - 1  # The one that listens.


def memory(path):
    """Return devrun's memory in bytes."""
    with open(f"/proc/{pid_of(path)}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def connected(path):
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(30)
    stream.connect(str(path))
    return stream


# -- descriptors -----------------------------------------------------------------------------------


def test_clients_cannot_take_the_descriptors_that_devrun_needs(start):
    few = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
    run, path = start("a=sleep 600", before=few)
    silent = []
    for _ in range(70):
        stream = socket.socket(socket.AF_UNIX)
        stream.setblocking(False)
        silent.append(stream)
        stream.connect(str(path))
    assert Api(path).ask("GET", "/v1/project")[0] in (200, 503)  # As many have been left by then.
    for stream in silent:
        stream.close()
    until(lambda: Api(path).ask("GET", "/v1/project")[0] == 200, "there is room again")
    assert Api(path).post("/v1/services/a/restart")["results"][0]["outcome"] == "restarted"
    assert run.process.poll() is None
    assert "Traceback" not in run.text
    assert "accept" not in run.text


def test_who_cannot_be_answered_for_want_of_descriptors_is_told_and_may_come_again(start):
    run, path = start("a=sleep 600")
    pid = pid_of(path)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    until(lambda: not connections(path), "nobody is there")
    taken = descriptors(path)
    first = next(number for number in range(1000) if number not in taken)
    room_for_one = next(
        number for number in range(first + 1, 1000) if number not in taken or number > max(taken)
    )
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (room_for_one, before[1]))
    status, said = Api(path).ask("GET", "/v1/project")
    assert (status, said["detail"].partition(":")[0]) == (503, "what answers could not be loaded")
    waiting = Api(path)
    waiting.request("GET", "/v1/project")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert waiting.getresponse().status in (200, 503)
    assert Api(path).get("/v1/project")["services"] == ["a"]
    assert "Traceback" not in run.text
    assert run.process.poll() is None


# -- those who leave -------------------------------------------------------------------------------


@pytest.mark.parametrize("behind", [b"", b"GET /v1/project HTTP/1.1\r\nhost: d\r\n\r\n"])
@pytest.mark.parametrize("half", [False, True])
def test_who_waits_and_leaves_is_forgotten(start, behind, half):
    _, path = start("a=sleep 600")
    for _ in range(20):
        stream = connected(path)
        stream.sendall(b"GET /v1/wait?for=exited HTTP/1.1\r\nhost: d\r\n\r\n" + behind)
        if half:
            stream.shutdown(socket.SHUT_WR)
        stream.close()
    until(lambda: not connections(path), "all connections are closed")


def test_an_order_is_carried_out_although_its_client_has_left(start, tmp_path):
    stubborn = """
        import os
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("up", flush=True)
        while not os.path.exists("go"):
            time.sleep(0.02)
    """
    toml(
        tmp_path,
        f"""
        [services.below]
        command = "sleep 600"
        [services.above]
        command = {python("import time" + stubborn.replace("        ", ""))}
        ready = {{ log = "up" }}
        depends_on = ["below"]
        stop = {{ timeout = "60s" }}
        """,
    )
    _, path = start()
    Api(path).get("/v1/wait?service=above&for=ready")
    stream = connected(path)
    stream.sendall(b"POST /v1/stop HTTP/1.1\r\nhost: d\r\n\r\n")
    until(lambda: Api(path).get("/v1/instances/above")["state"] == "stopping", "it is begun")
    stream.close()
    close_all()
    until(lambda: not connections(path), "the connection is closed")
    api = Api(path)
    assert api.get("/v1/instances/below")["state"] == "running"
    (tmp_path / "go").touch()
    until(lambda: api.get("/v1/instances/below")["state"] == "stopped", "the rest is carried out")


def test_who_closes_his_side_alone_still_gets_his_answer(start):
    _, path = start("a=sleep 600")
    stream = connected(path)
    stream.sendall(b"POST /v1/services/a/restart HTTP/1.1\r\nhost: d\r\nconnection: close\r\n\r\n")
    stream.shutdown(socket.SHUT_WR)
    said = b""
    while more := stream.recv(4096):
        said += more
    stream.close()
    assert json.loads(said.partition(b"\r\n\r\n")[2])["results"][0]["outcome"] == "restarted"


# -- terminals -------------------------------------------------------------------------------------


class Attached:
    """A terminal, as a client of bad manners has it."""

    def __init__(self, path, name):
        self.socket = connected(path)
        self.web = WSConnection(ConnectionType.CLIENT)
        self.send(Request("devrun", f"/v1/instances/{name}/attach"))
        assert isinstance(self.until(AcceptConnection), AcceptConnection)

    def send(self, event):
        self.socket.sendall(self.web.send(event))

    def until(self, *kinds):
        """Return the first event of a kind; None is the end."""
        while True:
            for event in self.web.events():
                if isinstance(event, kinds):
                    return event
            data = self.socket.recv(65536)
            self.web.receive_data(data or None)
            if not data:
                return None


@pytest.fixture
def terminal(start, tmp_path):
    """Start a service with a terminal that it does not read."""
    toml(tmp_path, '[services.deaf]\ncommand = "stty raw -echo; sleep 600"\ntty = true\n')
    _, path = start()
    Api(path).get("/v1/wait")
    close_all()
    return path


@pytest.mark.parametrize(
    ("text", "code"),
    [("x", 1007), ('"\\udcff', 1007), ("[]", 1008), ('{"resize": [0, 1]}', 1008), ("{}", 1008)],
)
def test_a_text_that_is_not_understood_is_the_last_one(terminal, text, code):
    client = Attached(terminal, "deaf")
    client.send(TextMessage(text))
    said = client.until(CloseConnection)
    assert (said.code, bool(said.reason)) == (code, True)
    client.socket.close()


@pytest.mark.parametrize(
    ("head", "body", "most"),
    [
        (b"", b"\x81\x84\0\0\0\0xxxx" * 8000, 64 * MIB),  # Texts, each of them bad.
        # One message without an end; many to be typed, which nobody reads; and many of other sizes.
        (b"\x82\xff" + (1 << 40).to_bytes(8, "big") + b"\0\0\0\0", b"x" * 65536, 64 * MIB),
        (b"", b"\x82\xfe\xff\xff\0\0\0\0" + b"x" * 65535, 64 * MIB),
        (b"", (b"\x81\x9a\0\0\0\0" + b'{"resize": [24,80]}'.ljust(26)) * 2000, MIB),
    ],
)
def test_a_flood_takes_no_memory(terminal, head, body, most):
    client = Attached(terminal, "deaf")
    client.socket.settimeout(2)
    before = memory(terminal)
    sent = 0
    try:
        client.socket.sendall(head)
        while sent < most:
            sent += client.socket.send(body)
    except OSError:
        pass  # It was left, or is not listened to.
    assert memory(terminal) - before < 16 * MIB
    client.socket.close()
    until(lambda: not connections(terminal), "the connection is closed")
    assert Api(terminal).get("/v1/project")["services"] == ["deaf"]


def test_who_types_what_nobody_reads_and_leaves_is_forgotten(terminal):
    clients = [Attached(terminal, "deaf") for _ in range(8)]
    for client in clients:
        client.socket.settimeout(0.2)
        try:
            for _ in range(100):
                client.send(BytesMessage(b"x" * 60_000))
        except TimeoutError:
            pass
        client.socket.close()
    until(lambda: not connections(terminal), "all connections are closed")
    Attached(terminal, "deaf").socket.close()


# -- bytes -----------------------------------------------------------------------------------------


def test_a_command_of_any_bytes_can_be_asked_for(start, ask):
    name = os.fsdecode(b"printf a\xffb; exec sleep 600")
    _, path = start(name)
    api = Api(path)
    assert api.get("/v1/instances")["instances"][0]["command"] == name
    stream = Api(path).stream("/v1/events", {"Last-Event-ID": "0"})
    assert stream.readline()
    for what in ("project", "services", "stats", "instances"):
        api.get(f"/v1/{what}")
    for words in (("ps",), ("ps", "--json"), ("logs",), ("events", "--help")):
        code, said = ask(*words)
        assert code == 0, said
        assert "Traceback" not in said


def test_a_folder_of_any_bytes_can_be_brought_up_twice(ask, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    toml(folder, '[services.web]\ncommand = "sleep 600"\n')
    try:
        for _ in range(2):
            code, said = ask("up", "-d", cwd=folder)
            assert code == 0, said
    finally:
        code, said = ask("down", cwd=folder)
    assert code == 0, said


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("becomes", ["services = [\n", None])
def test_a_service_is_described_although_its_file_is_gone(start, ask, tmp_path, becomes):
    (tmp_path / "secrets.env").write_text("PLACE=hiddenplace\n")
    (tmp_path / "hiddenplace").mkdir()
    file = toml(
        tmp_path,
        """
        env_file = "secrets.env"
        [services.web]
        command = "exec sleep 600"
        cwd = "${PLACE}"
        env = { TOKEN = "hush" }
        """,
    )
    file = tmp_path / "devrun.toml"
    _, path = start()
    api = Api(path)
    before = api.get("/v1/services/web")
    assert before["unread"] is None
    if becomes is None:
        file.unlink()
        (tmp_path / "secrets.env").unlink()
    else:
        file.write_text(becomes)
    now = api.get("/v1/services/web")
    assert now["unread"]
    assert now["config"] == before["config"]
    assert "hiddenplace" not in json.dumps(now["config"])
    assert "hush" not in json.dumps(now)
    code, said = ask("show", "web")
    assert code == 0, said
    assert "this is what runs; its files cannot be read now: " in said
