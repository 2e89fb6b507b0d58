"""The words of ``devrun export``: a format, a folder, processes, and foreman's letters."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

from devrun.config.definitions import IN_PRODUCTION, discovered
from devrun.config.flags import FLAGS, Flag, Takes
from devrun.config.option_reader import OptionReader, Request
from devrun.config.rc_files import take_option_files
from devrun.config.selection import is_command
from devrun.config.settings import RunSettings, Value, with_values
from devrun.errors import UsageError

_OF_A_RUN = {
    "files": "--procfile -f --file",
    "root": "--root -d --app-root",
    "excepted": "--except -x",
    "formation": "--formation -m --concurrency -c --scale",
    "cwd": "--cwd",
    "env": "--env-var",
    "env_files": "--env-file",
    "no_env": "--no-env",
    "port": "--port -p",
    "port_step": "--port-step",
    "formation_port_step": "--formation-port-step",
    "no_port": "--no-port",
    "kill_signal": "--kill-signal",
    "stop_signals": "--stop-signals",
    "stop_timeout": "--stop-timeout",
}
EXPORT_FLAGS = (
    *(
        replace(flag, names=tuple(_OF_A_RUN[flag.field].split()))
        for flag in FLAGS
        if flag.field in _OF_A_RUN
    ),
    Flag("only_files", ("--env", "-e"), Takes.LIST),
    Flag("application", ("--app", "-a")),
    Flag("user", ("--user", "-u")),
    Flag("logs", ("--log", "-l")),
    Flag("template", ("--template", "-t", "--template-dir")),
    Flag("image", ("--image",)),
    Flag("public", ("--public",)),
    Flag("include_secrets", ("--include-secrets",), Takes.NOTHING),
)
"""Options of ``devrun export``: those of a run that matter elsewhere, and the peers' own."""


@dataclass(frozen=True, slots=True)
class ExportLine:
    """What is to be exported.

    Attributes:
        folder: As the user wrote it; ``-`` is stdout.
        said: Values of the options that are the export's own, by field.
    """

    style: str
    folder: str
    settings: RunSettings
    said: dict[str, Value]

    def text(self, field: str) -> str | None:
        """Return the value of an option that takes one."""
        value = self.said.get(field)
        return value if isinstance(value, str) else None


def read_export_line(words: Sequence[str], *, cwd: str) -> ExportLine | Request:
    """Return what the words mean; ``.foreman`` and its like say what no option does.

    Raises:
        UsageError: An option is wrong, or format or folder are missing.
    """
    reader = OptionReader(EXPORT_FLAGS, "devrun export")
    request = reader.read(words)
    if request is not None:
        return request
    rest = [*reader.words, *reader.behind]
    if len(rest) < 2:
        missing = "a folder" if rest else "a format and a folder"
        raise UsageError(f"export needs {missing}: devrun export systemd deploy/, or - for stdout")
    if not rest[1]:
        raise UsageError('export: the folder is ""; write . for this one, or - for stdout')
    take_option_files(reader, EXPORT_FLAGS, cwd, of_exports=True)
    said: dict[str, Value] = dict(reader.values)
    files = said.pop("only_files", None)
    if isinstance(files, tuple):
        listed = tuple(path for text in files for path in text.split(",") if path)
        said |= {"env_files": listed, "no_env": True}
    of_a_run = {field: value for field, value in said.items() if field in _OF_A_RUN}
    own = {field: value for field, value in said.items() if field not in _OF_A_RUN}
    processes = tuple(rest[2:])
    if not all(map(is_command, processes)) or not processes:
        folder = os.path.join(cwd, os.path.expanduser(str(of_a_run.get("root", ""))))
        usual = discovered(folder, IN_PRODUCTION)  # Not Procfile.dev: this is for later.
        of_a_run.setdefault("files", (usual or "Procfile",))
    settings = with_values(RunSettings(commands=processes, with_release=True), of_a_run)
    return ExportLine(rest[0], rest[1], settings, own)
