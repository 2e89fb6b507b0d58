"""What holds for all tests."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import settings
from running import no_survivors

from this_run import is_of_this_run

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=200_000)
settings.load_profile("default")


CONSUMERS = {
    "containers": ("test_compose.py", "test_dockerfile.py", "test_example.py"),
    "export": (
        "test_consumers.py",
        "test_daemons.py",
        "test_folders.py",
        "test_service_daemons.py",
        "test_services.py",
        "test_texts.py",
        "test_users.py",
    ),
}
"""Folders, and the files in them whose tests wait for what takes in devrun's exports."""


def pytest_collection_modifyitems(config, items):
    """Leave out what other runs make of the tests that drive other programs."""
    left_out = [
        item
        for item in items
        if item.path.name in CONSUMERS.get(item.path.parent.name, ())
        and not is_of_this_run(item.nodeid, "CONSUMER_PART")
    ]
    config.hook.pytest_deselected(items=left_out)
    out = {id(item) for item in left_out}
    items[:] = [item for item in items if id(item) not in out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In CI a test that is skipped has failed: what it needs is to be installed there."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """The same for a module that is skipped as a whole, as by ``importorskip``."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which is not allowed in CI: {report.longrepr}"
    return report


@pytest.fixture
def mark():
    """Give a test the mark by which its processes are known; afterwards none of them may live."""
    mark = uuid.uuid4().hex
    yield mark
    no_survivors(mark, grace=5)
