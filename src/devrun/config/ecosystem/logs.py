"""The log files of an app.

PM2 writes all output below ``~/.pm2/logs`` if nothing is said. devrun writes a file only where one
is named, and shows the output in any case.
"""

from __future__ import annotations

import os

from devrun.config.ecosystem.app import App, absolute
from devrun.config.ecosystem.time import strftime_of
from devrun.policies import LogFile

_NOWHERE = ("NULL", "/dev/null", "")
_OF_TIME = "YYYY-MM-DDTHH:mm:ss"
"""What ``time: true`` stands for."""


def log_of(app: App, *, several: bool) -> LogFile | None:
    """Return where the output of an app goes besides the terminal.

    Args:
        several: It has several instances.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    if app.flag("disable_logs", default=False):
        return None
    out, error = _path(app, "out_file"), _path(app, "error_file")
    combined = _combined(app)
    path, error_path = out or combined, error or combined
    if path is None and error_path is None:
        _warn_of_no_file(app)
        return None
    if combined and path != error_path:
        _warn_of_no_third(app, out=out, error=error)
    # What is not named goes nowhere: PM2 has a file below ~/.pm2 for it.
    path, error_path = path or os.devnull, error_path or os.devnull
    separate = several and not app.flag("merge_logs", default=False)
    time_format = _time_format(app)
    return LogFile(
        _for_instances(path, separate=separate),
        None if error_path == path else _for_instances(error_path, separate=separate),
        timestamps=time_format is not None,
        time_format=time_format,
        json=app.text("log_type") == "json",
    )


def _path(app: App, attribute: str) -> str | None:
    text = app.text(attribute)
    return None if text is None or text in _NOWHERE else absolute(text, app.folder)


def _combined(app: App) -> str | None:
    given = app.get("log_file")
    if given in (True, "true"):
        app.warn("log_file: true is a file below ~/.pm2 in PM2; here name one")
        return None
    return None if given in (False, "false") else _path(app, "log_file")


def _warn_of_no_third(app: App, *, out: str | None, error: str | None) -> None:
    """Say what becomes of a file for both streams where one of them has a file of its own."""
    if out and error:
        what = "out_file and error_file are written, the file for both together is not"
    else:
        alone, other = ("stderr", "out_file") if out else ("stdout", "error_file")
        what = f"gets {alone} alone, because {other} has the rest; PM2 writes both there, too"
    app.warn(f"log_file: {what}")


def _warn_of_no_file(app: App) -> None:
    for attribute in ("log_date_format", "time", "log_type"):
        if app.get(attribute):
            app.warn(f"{attribute} is for log files, and none is named here")
            return


def _for_instances(path: str, *, separate: bool) -> str:
    if not separate or path == os.devnull:
        return path
    start, extension = os.path.splitext(path)
    return f"{start}-{{instance}}{extension}"


def _time_format(app: App) -> str | None:
    given = app.text("log_date_format")
    if app.flag("time", default=False):
        given = _OF_TIME
    if not given:
        return None
    found, different = strftime_of(given)
    if different:
        app.warn(f"log_date_format: {different}")
    return found
