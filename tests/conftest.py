"""What holds for all tests."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import settings
from running import no_survivors

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("fuzz", deadline=None, print_blob=True, max_examples=200_000)
settings.load_profile("default")


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
