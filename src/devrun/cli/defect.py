"""A defect of devrun's own: one line for the user, the details in a file that can be sent."""

from __future__ import annotations

import os

from devrun.errors import ExitCode
from devrun.output.complaint import complain

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from types import TracebackType


def report_defect(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """End the process; to be used as ``sys.excepthook``.

    The guardian ends what is running. The file is readable by its owner alone.
    """
    import platform
    import tempfile
    import traceback

    from devrun import __version__

    descriptor, path = tempfile.mkstemp(prefix="devrun-defect-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(
            f"devrun {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        )
        traceback.print_exception(kind, error, trace, file=file)
    complain(f"a defect of devrun itself ({kind.__name__}); please report it with {path}")
    os._exit(ExitCode.INTERNAL)
