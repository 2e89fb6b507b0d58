#!/usr/bin/env python3
"""Follow the logs of a run by so many connections at once, and throw away what they say.

Goes on until stdin ends; then says on stdout, as JSON, how much arrived in bytes, how many notices
of missing lines there were in it, how many connections have ended meanwhile, and how many seconds
of the processor all that took.

    python benchmarks/log_followers.py SOCKET CONNECTIONS
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
import time

ASK = b"GET /v1/logs?follow=true&tail=0 HTTP/1.1\r\nhost: devrun\r\n\r\n"
AT_ONCE = 256 * 1024
CALM = 0.02
"""Seconds between two looks at all connections: reading is not what is measured."""


def connected(path: str) -> socket.socket:
    """Return a connection that has asked to follow the logs."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.sendall(ASK)
    return client


def main(path: str, count: int) -> None:
    looked_at = selectors.DefaultSelector()
    looked_at.register(0, selectors.EVENT_READ)
    for _ in range(count):
        looked_at.register(connected(path), selectors.EVENT_READ)
    print("connected", flush=True)
    found = {"bytes": 0, "gaps": 0, "ended": 0}
    while True:
        for key, _ in looked_at.select():
            if key.fd == 0:
                print(json.dumps(found | {"cpu": time.process_time()}))
                return
            assert isinstance(key.fileobj, socket.socket)
            data = key.fileobj.recv(AT_ONCE)
            found["bytes"] += len(data)
            found["gaps"] += data.count(b'{"gap":')
            if not data:
                found["ended"] += 1
                looked_at.unregister(key.fileobj)
        time.sleep(CALM)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
