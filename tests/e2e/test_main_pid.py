"""``MAINPID=`` of sd_notify: a service whose program is another than the one that was started."""

from __future__ import annotations

import signal
import sys

DAEMON = """
import os, signal, socket, sys

reader, writer = os.pipe()
if os.fork():
    os.read(reader, 1)  # Until the other has said who it is.
    os._exit(0)
os.setsid()

def end(*_):
    print("ended as it was told", flush=True)
    os._exit(5)

signal.signal(signal.SIGTERM, end)
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
    notify.sendto(f"MAINPID={os.getpid()}\\nREADY=1".encode(), os.environ["NOTIFY_SOCKET"])
print("serving", flush=True)
os.write(writer, b".")
while True:
    signal.pause()
"""


def test_the_successor_is_the_service(devrun, tmp_path):
    (tmp_path / "daemon.py").write_text(DAEMON)
    (tmp_path / "devrun.toml").write_text(
        f'services.web = {{ command = "{sys.executable} daemon.py", ready = {{ notify = true }} }}'
    )
    run = devrun().wait_for("serving", "ready after")
    run.signal(signal.SIGTERM)
    assert run.wait() == -signal.SIGTERM
    assert "ended as it was told" in run.text
    assert "exited with code 5" in run.text
    assert run.count("exited with code") == 1
