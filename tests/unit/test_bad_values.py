"""A bad value of any option is an error before anything starts."""

from __future__ import annotations

import pytest

from devrun.appearance import ColorLevel
from devrun.config.command_line import Reading, read_command_line
from devrun.config.flags import FLAGS, Takes
from devrun.config.resolve import resolve
from devrun.errors import UsageError

PROCFILE = ["-f", "Procfile"]
WITH = {
    "--except": PROCFILE,
    "--formation": PROCFILE,
    "--port-step": PROCFILE,
    "--formation-port-step": PROCFILE,
    "--stop-signals": PROCFILE,
    "--default-input-target": ["-i"],
    "--teardown-timeout": ["--teardown", "true"],
    "--watch-ignore": ["-w", "."],
}
"""What an option needs beside it."""

BAD = {
    "--file": ["nosuch", "/"],
    "--names": ["a,b", "a\nb"],
    "--max-processes": ["0", "-1", "1.5", "x", "0%", "x%", ""],
    "--shell": ["nosuch", "/etc/passwd"],
    "--cwd": ["nosuch", "x=.", ""],
    "--root": ["nosuch", ""],
    "--except": ["x", "web"],
    "--formation": ["web", "web=x", "web=-1", "x=1", "web=1,web=2", "web=1,", "web=0", "web=101"],
    "--port-step": ["0", "x", ""],
    "--formation-port-step": ["0", "x", ""],
    "--can-die": ["x", "7"],
    "--stop-signals": ["web", "x=TERM", "web=TREM", "web="],
    "--auto-restart": ["x", "all,x"],
    "--env": ["A", "x:A=1", "1=2", "=", ""],
    "--env-file": ["nosuch", "/"],
    "--port": ["0", "65536", "x", ""],
    "--success": ["bogus", "FIRST", "command-", "command-x", "!command-7", "all,first"],
    "--kill-signal": ["SIGTREM", "0", "99", "SIGSTOP", ""],
    "--stop-timeout": ["5", "x", "-1s", "1y", ""],
    "--kill-timeout": ["x", "-1", ""],
    "--restart-tries": ["x", "1.5", "-2", ""],
    "--restart-after": ["x", "-1", ""],
    "--teardown": ["", " "],
    "--teardown-timeout": ["5", "x", ""],
    "--watch": ["", "x=."],
    "--watch-ignore": ["", "!"],
    "--default-input-target": ["x", "7", "-1", ""],
    "--prefix": ["nosuch", "{nmae}", "{name}\n"],
    "--prefix-colors": ["nosuch", "", "#12", "rgb(1,2)", "red,", "hex", "level", "toString", "rgb"],
    "--prefix-length": ["0", "-1", "x", ""],
    "--timestamp-format": ["tt", "yyyyyy", "::", "HH'", "%H\n"],
    "--raw-only": ["x", "7"],
    "--hide": ["x", "7"],
    "--only": ["x", "7"],
    "--profile": ["x", ""],
    "--focus": ["x", "7", ""],
    "--log-format": ["xml", "JSON", ""],
    "--name": ["123", "", "a b", "a/b", ".x"],
    "--tail": ["-1", "x", "1001", ""],
}

ANY_TEXT = {"--name-separator"}


def test_the_table_is_complete():
    taking = {flag.name for flag in FLAGS if flag.takes is not Takes.NOTHING}
    assert set(BAD) | ANY_TEXT == taking


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_a_bad_value_is_refused(tmp_path, name, value):
    (tmp_path / "Procfile").write_text("web: true\n")
    beside = WITH.get(name, [])
    words = [*([] if beside is PROCFILE else ["true"]), *beside, f"{name}={value}"]
    reading = read_command_line(words, {})
    assert isinstance(reading, Reading)
    with pytest.raises(UsageError) as refused:
        resolve(reading.settings, cwd=str(tmp_path), environ={}, color_level=ColorLevel.NONE)
    message = str(refused.value)
    assert name in message or (name in {"--file", "--env-file"} and value in message)
