"""A service that numbers its lines: on stdout, and then in a file of this process's own.

What is in the file has been written to stdout, however the process ended. Arguments: the folder of
those files, a name, and how to behave:

    descends    a child that leaves the session, and a grandchild, live beside it
    stubborn    SIGTERM is ignored, by a child in a session of its own as well
    crashes     it ends after some lines, with exit code 3
    serves      it answers on the socket that it has as descriptor 3
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time

PAUSE = 0.1
"""Seconds between two lines; the first ones come at once."""

AT_ONCE = 20
LINES_TO_A_CRASH = 30
LIFETIME = 600
"""Seconds after which a process that was left behind ends."""


class Lines:
    def __init__(self, folder: str, name: str) -> None:
        self._name = f"chaos {name} {os.getpid()}-{time.time_ns()}"
        file = os.path.join(folder, self._name.replace(" ", "."))
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self.count = 0

    def say(self) -> None:
        self.count += 1
        line = f"{self._name} {self.count} end\n".encode()
        os.write(1, line)
        os.write(self._file, line)


def leave_a_child(*, ignores: bool = False) -> None:
    if os.fork():
        return
    signal.alarm(LIFETIME)
    os.setsid()
    if ignores:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if os.fork():
        os.wait()
        os._exit(0)
    while True:
        signal.pause()


def answer(listener: socket.socket) -> None:
    try:
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(1)
            peer.recv(1000)
            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\nhere\n")
    except OSError:
        return


def main(folder: str, name: str, *behaviour: str) -> None:
    signal.alarm(LIFETIME)
    for number in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if "stubborn" in behaviour:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "descends" in behaviour or "stubborn" in behaviour:
        leave_a_child(ignores="stubborn" in behaviour)
    listener = socket.socket(fileno=3) if "serves" in behaviour else None
    if listener is not None:
        listener.setblocking(False)
    heard = [] if listener is None else [listener]
    lines = Lines(folder, name)
    while lines.count < LINES_TO_A_CRASH or "crashes" not in behaviour:
        lines.say()
        pause = PAUSE if lines.count >= AT_ONCE else 0
        if listener is not None and select.select(heard, [], [], pause)[0]:
            answer(listener)
        elif listener is None:
            select.select([], [], [], pause)
    os._exit(3)


if __name__ == "__main__":
    main(*sys.argv[1:])
