"""Which paths are log files."""

from __future__ import annotations

import pytest

from devrun.output.log_paths import LogPaths
from devrun.sources.watch_ignore import Sieve

PATHS = LogPaths(("/p/logs/web.txt", "/p/odd [1]!.txt", "/elsewhere/api.txt"))

OWN = [
    "/p/logs/web.txt",
    "/p/logs/web.txt.20260131T235959.123Z",
    "/p/logs/web.txt.20260131T235959.123Z.gz",
    "/p/logs/web.txt.20260131T235959.123Z.gz.tmp",
    "/p/odd [1]!.txt",
    "/p/odd [1]!.txt.20260131T235959.123Z",
    "/elsewhere/api.txt",
    "/elsewhere/api.txt.20260131T235959.123Z.gz",
]
OTHERS = [
    "/p/logs/web.txts",
    "/p/logs/web.txt.1",
    "/p/logs/web.txt.20260131T235959.123Z.log",
    "/p/web.txt",
    "/p/src/logs/web.txt",
    "/p/odd 1!.txt",
]


@pytest.mark.parametrize("path", OWN)
def test_own_files_are_known(path):
    assert PATHS.owns(path)


@pytest.mark.parametrize("path", OTHERS)
def test_other_files_are_not(path):
    assert not PATHS.owns(path)


@pytest.mark.parametrize("path", OWN)
def test_watching_leaves_own_files_out(path):
    assert Sieve(PATHS.patterns("/p"), "/p", ()).leaves_out(path, None)


@pytest.mark.parametrize("path", [path for path in OTHERS if not path.endswith("Z.log")])
def test_watching_leaves_nothing_else_out(path):
    assert not Sieve(PATHS.patterns("/p"), "/p", ()).leaves_out(path, None)
