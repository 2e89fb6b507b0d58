"""Clients that give random commands, and are killed at times; the same ones for the same seed.

What each client does is drawn before it begins, so that it depends on the seed alone. How the
commands of eight clients fall together is up to the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from api import Api
from chaos_claims import below
from chaos_project import MOST_INSTANCES, SERVICES

CLIENTS = 8
LONGEST_ANSWER = 60.0
"""Seconds after which a command that has not been answered is taken for hanging."""

LONGEST_PAUSE = 0.3
"""Seconds between two commands of a client; they are drawn."""

ANSWERS = (200, 404, 408, 409)
EXIT_CODES = (0, 1, 2)
SIGNALS = ("HUP", "USR1", "TERM", "KILL", "CONT")


@dataclass(frozen=True)
class Command:
    """Something that a client does.

    Attributes:
        words: A command of devrun's; "kill" for SIGKILL to some child; "kill devrun" and which of
            its processes.
        way: "api", "command", or either with its client killed in the middle of it.
        share: A number from 0 to 1: when its client is killed, or which child is.
        pause: Seconds before it.
    """

    words: tuple[str, ...]
    way: str
    share: float
    pause: float

    def __str__(self) -> str:
        return f"{' '.join(self.words)} [{self.way} {self.share:.2f}]"


def drawn(seed: str, count: int) -> list[Command]:
    """Return the commands of one client."""
    source = random.Random(seed)
    kinds = {
        "restart": 4, "stop": 3, "scale": 3, "reload": 3, "signal": 3, "kill": 4,
        "ps": 1, "logs": 1, "show": 1, "follow": 1,
    }  # fmt: skip
    ways = {"api": 10, "command": 4, "api, killed": 2, "command, killed": 3}
    found = []
    for _ in range(count):
        [kind] = source.choices([*kinds], [*kinds.values()])
        [way] = source.choices([*ways], [*ways.values()])
        words = _words(kind, source)
        share, pause = source.random(), source.uniform(0, LONGEST_PAUSE)
        if kind == "kill":
            way = "SIGKILL"
        elif kind == "follow":
            way = "command, killed" if "command" in way else "api, killed"
        found.append(Command(words, way, share, pause))
    return found


def _words(kind: str, source: random.Random) -> tuple[str, ...]:
    name = source.choice(SERVICES)
    instance = f"{name}.{source.randint(1, 3)}" if source.random() < 0.2 else name
    match kind:
        case "restart":
            return ("restart",) if source.random() < 0.05 else ("restart", instance)
        case "stop" | "reload":
            return (kind, instance)
        case "scale":
            name = source.choice([*MOST_INSTANCES])
            return ("scale", f"{name}={source.randint(1, MOST_INSTANCES[name])}")
        case "signal":
            return ("signal", instance, source.choice(SIGNALS))
        case "ps":
            return ("ps", "--json")
        case "logs":
            return ("logs", "--lines", "200")
        case "show":
            return ("show", name)
        case "follow":
            return ("logs", "--follow", "--lines", "all")
        case _:
            return (kind,)


@dataclass
class Record:
    """What a client did when, for whoever reads of a failure."""

    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    running: dict[int, tuple[float, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def of(self, client: int, command: Command) -> Iterator[list[str]]:
        """Record a command; its outcome is put into the list."""
        at, outcome = time.monotonic() - self.began, []
        with self._lock:
            self.running[client] = at, str(command)
        try:
            yield outcome
        except BaseException as error:
            outcome.append(repr(error))
            raise
        finally:
            with self._lock:
                del self.running[client]
                took = time.monotonic() - self.began - at
                said = "; ".join(outcome)
                self.lines.append(f"{at:7.2f} +{took:5.2f} {client}: {command}: {said}")

    def __str__(self) -> str:
        with self._lock:
            pending = [f"{at:7.2f} {client}: {c}" for client, (at, c) in self.running.items()]
            return "\n".join([*self.lines, "never answered:" if pending else "", *pending])


class Clients:
    """Eight clients.

    Args:
        socket: Of the run.
        words: The words that start devrun's commands.
        own: The pids of devrun's own processes, by what they are.
        may_go: Whether the run may end meanwhile.
    """

    def __init__(
        self,
        socket: Path,
        *,
        folder: Path,
        env: dict[str, str],
        own: Mapping[str, int],
        may_go: bool = False,
    ) -> None:
        self.record = Record()
        self.problems: list[str] = []
        self._socket = socket
        self._folder = folder
        self._env = env
        self._own = own
        self._may_go = may_go
        self._over = threading.Event()

    def run(self, commands: Sequence[Sequence[Command]]) -> None:
        """Have clients give their commands; return when all have been answered.

        Raises:
            AssertionError: One was not, or not as it should be.
        """
        threads = [
            threading.Thread(target=self._client, args=(number, each), daemon=True)
            for number, each in enumerate(commands)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not self.problems, "\n".join(self.problems)

    def _client(self, number: int, commands: Sequence[Command]) -> None:
        for command in commands:
            self._over.wait(command.pause)  # A chance to come at any moment, not for luck.
            if self._over.is_set():
                return
            try:
                with self.record.of(number, command) as outcome:
                    outcome.append(str(self._do(command)))
            except Exception as error:  # noqa: BLE001 - whatever it is, the test has failed
                self.problems.append(f"client {number}, {command}: {error!r}")
                self._over.set()

    def _do(self, command: Command) -> object:
        match command.way:
            case "SIGKILL":
                return self._kill(command)
            case "api":
                return self._ask(command.words)
            case "api, killed":
                return self._ask_and_go(command)
            case "command":
                return self._run(command.words)
            case _:
                return self._run_and_kill(command)

    def _kill(self, command: Command) -> str:
        if command.words[0] == "kill devrun":
            pids = [self._own[name] for name in command.words[1:]]
        else:
            children = sorted(below(self._own["worker"]))
            pids = children[int(command.share * len(children)) :][:1]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return f"{pids}"

    # -- by the API --------------------------------------------------------------------------

    def _ask(self, words: Sequence[str]) -> object:
        api = Api(self._socket, LONGEST_ANSWER)
        try:
            status, said = _asked(api, *_request(words))
        except TimeoutError:
            raise AssertionError(f"no answer within {LONGEST_ANSWER:g} s") from None
        except (OSError, HTTPException) as error:
            if self._may_go:
                return f"gone: {error!r}"
            raise
        finally:
            api.close()
        assert status in ANSWERS, (status, said)
        return f"{status} {said.get('detail') or said.get('results') or ''}"

    def _ask_and_go(self, command: Command) -> str:
        """Ask, and vanish without a word before or after the answer."""
        method, path, body = _request(command.words)
        sent = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nhost: devrun\r\ncontent-length: {len(sent)}\r\n\r\n"
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self._socket))
                client.sendall(head.encode() + sent)
            except OSError:
                if not self._may_go:
                    raise
            self._over.wait(command.share * 0.2)
        return "went"

    # -- by commands -------------------------------------------------------------------------

    def _start(self, words: Sequence[str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "devrun", *words],
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _run(self, words: Sequence[str]) -> str:
        process = self._start(words)
        try:
            output, _ = process.communicate(timeout=LONGEST_ANSWER)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            raise AssertionError(f"no end within {LONGEST_ANSWER:g} s; {output}") from None
        assert process.returncode in EXIT_CODES, (process.returncode, output)
        assert "Traceback" not in output, output
        return f"{process.returncode} {output if words[0] not in ('ps', 'logs', 'show') else ''}"

    def _run_and_kill(self, command: Command) -> str:
        process = self._start(command.words)
        # stdout is not read: a follower is one of those who take nothing.
        self._over.wait(command.share * 0.8)
        process.kill()
        process.communicate()
        return str(process.returncode)


def _request(words: Sequence[str]) -> tuple[str, str, object]:
    match words:
        case ["restart"]:
            return "POST", "/v1/restart", None
        case ["restart" | "stop" | "reload" as verb, name]:
            return "POST", f"/v1/services/{name}/{verb}", None
        case ["scale", what]:
            name, _, count = what.partition("=")
            return "POST", f"/v1/services/{name}/scale", {"instances": int(count)}
        case ["signal", name, which]:
            return "POST", f"/v1/services/{name}/signal", {"signal": which}
        case ["ps", *_]:
            return "GET", "/v1/instances", None
        case ["logs", "--follow", *_]:
            return "GET", "/v1/logs?follow=true", None
        case ["logs", *_]:
            return "GET", "/v1/logs?tail=200", None
        case ["show", name]:
            return "GET", f"/v1/services/{name}", None
        case _:
            raise AssertionError(words)


def _asked(api: Api, method: str, path: str, body: object) -> tuple[int, dict]:
    if "/logs" not in path:
        return api.ask(method, path, body)
    api.request(method, path)
    response = api.getresponse()
    lines = [json.loads(line) for line in response.read().splitlines()]
    return response.status, {"detail": f"{len(lines)} lines"}
