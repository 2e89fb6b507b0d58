"""The project that the chaos is made in, and what has become of its lines."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from supervised import free_port, toml

PROGRAMS = Path(__file__).parent / "programs"

SERVICES = ("plain", "web", "cluster", "crashes", "db", "app", "stubborn")
MOST_INSTANCES = {"plain": 2, "web": 3, "cluster": 2}
"""Of the services that are scaled."""

PROJECT = """
    [defaults]
    restart = "always"
    backoff = {{ initial = "50ms", factor = 1, jitter = 0 }}
    min_uptime = "0ms"
    stop = {{ timeout = "5s" }}
    {defaults}

    [services.plain]
    command = "sh {programs}/numbers_lines.sh {tallies} plain"

    [services.web]
    command = {web}
    sockets = ["tcp:127.0.0.1:{web_port}"]
    ready = {{ port = {web_port} }}
    instances = 2

    [services.cluster]
    command = ["node", "{programs}/numbers_lines.js", "{tallies}", "cluster"]
    cluster = true
    env = {{ PORT = "{cluster_port}" }}

    [services.crashes]
    command = {crashes}

    [services.db]
    command = {db}
    ready = {{ log = "chaos db" }}

    [services.app]
    command = {app}
    depends_on = {{ db = "ready" }}

    [services.stubborn]
    command = {stubborn}
    stop = {{ timeout = "300ms" }}
"""

_LINE = re.compile(rb"chaos (\S+ \S+ \d+) end")


def write_project(folder: Path, defaults: str = "") -> Path:
    """Write the project's file, and make the folder of the tallies; return that."""
    tallies = folder / "tallies"
    tallies.mkdir()

    def program(name: str, *behaviour: str) -> str:
        words = [sys.executable, "-S", "-E", str(PROGRAMS / "numbers_lines.py"), str(tallies)]
        return f"{[*words, name, *behaviour]}".replace("'", '"')

    text = PROJECT.format(
        programs=PROGRAMS,
        tallies=tallies,
        defaults=defaults,
        web=program("web", "serves", "descends"),
        web_port=free_port(),
        cluster_port=free_port(),
        crashes=program("crashes", "crashes"),
        db=program("db"),
        app=program("app", "descends"),
        stubborn=program("stubborn", "stubborn"),
    )
    toml(folder, text)
    return tallies


def written(tallies: Path) -> set[bytes]:
    """Return the lines that services have certainly written."""
    return {line for path in tallies.iterdir() for line in _LINE.findall(path.read_bytes())}


def arrived(*outputs: bytes) -> Counter[bytes]:
    """Return the lines that are in what devrun has written, whole, and how often.

    Raises:
        AssertionError: One is torn.
    """
    found: Counter[bytes] = Counter()
    for output in outputs:
        for line in output.splitlines():
            whole = _LINE.findall(line)
            if len(whole) != 1 and _is_ours(line):
                raise AssertionError(f"torn: {line!r}")
            found.update(whole)
    return found


def _is_ours(line: bytes) -> bool:
    """Whether a service has written it; devrun says what it runs, too."""
    return b"chaos " in line and b"numbers_lines" not in line and b'"chaos db"' not in line


def none_lost(expected: set[bytes], where: str, *outputs: bytes) -> None:
    """Fail if a line that was written is not in what devrun wrote, or is twice in it."""
    found = arrived(*outputs)
    lost = sorted(expected - set(found))
    assert not lost, f"{where}: {len(lost)} lines lost: {_some(lost)}"
    twice = [line for line, count in found.items() if count > 1]
    assert not twice, f"{where}: {len(twice)} lines twice: {_some(twice)}"


def _some(lines: Iterable[bytes]) -> str:
    return ", ".join(line.decode() for line in [*lines][:10])
