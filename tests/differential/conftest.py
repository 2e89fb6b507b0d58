"""Fixtures of the comparison with concurrently."""

from __future__ import annotations

import shutil
import uuid

import pytest
from running import no_survivors
from sides import install_concurrently


@pytest.fixture(scope="session")
def concurrently():
    """Return the words that start the peer, with the real node."""
    node = shutil.which("node")
    if not node or not shutil.which("npm"):
        pytest.skip("the comparison with concurrently needs node and npm")
    return [node, str(install_concurrently())]


@pytest.fixture
def mark():
    """Give a test the mark by which devrun's processes are known; none of them may be left."""
    mark = uuid.uuid4().hex
    yield mark
    no_survivors(mark)
