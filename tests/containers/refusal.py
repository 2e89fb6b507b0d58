"""What a test says where the machine does not let it be run."""

from __future__ import annotations

import pytest


class MachineRefuses(pytest.skip.Exception):
    """The one reason to skip that holds in CI, too."""
