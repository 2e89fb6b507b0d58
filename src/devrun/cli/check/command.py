"""``devrun check``: say whether a project can run, and what it would be, starting nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from devrun import __version__
from devrun.appearance import ColorLevel
from devrun.cli.check.line import CheckLine, read_check_line
from devrun.config.ecosystem.reading import ReadOnce
from devrun.config.nearest import choices
from devrun.config.option_reader import Request
from devrun.config.settings import RunSettings
from devrun.config.toml.mistakes import messages_of
from devrun.errors import ExitCode, UsageError
from devrun.output.complaint import complain

TYPE_CHECKING = False  # what a project is made of is not needed for the schema
if TYPE_CHECKING:
    from devrun.cli.check.formats import Checked
    from devrun.cli.check.source import Source
    from devrun.config.resolve import Resolution
    from devrun.model import Project


def check(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Check a project and print it, or one service's variables and where they come from.

    Args:
        words: What stands behind ``check``.
        environ: devrun's own environment.

    Returns:
        The exit code: 1 if something would keep the project from running.

    Raises:
        UsageError: The command line or a file is wrong.
    """
    line = read_check_line(words, environ)
    if isinstance(line, Request):
        return _answer(line)
    if line.schema:
        _print_schema()
        return ExitCode.OK
    for warning in line.reading.warnings:
        complain(warning)
    try:
        return _Check(line, environ).run()
    except UsageError as error:
        *others, last = map(line.reading.in_their_words, messages_of(error))
        for message in others:
            complain(message)
        if last == str(error):
            raise
        raise UsageError(last) from error


def _answer(request: Request) -> int:
    if request is Request.HELP:
        from devrun.cli.app import main

        return main(["check", "--help"])
    sys.stdout.write(f"devrun {__version__}\n")
    return ExitCode.OK


def _print_schema() -> None:
    from devrun.config.toml.schema_json import SCHEMA_FILE

    with open(SCHEMA_FILE, "rb") as file:
        _print(file.read())


def _print(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def text_of(
    settings: RunSettings, resolution: Resolution, environ: Mapping[str, str], *, cwd: str
) -> str:
    """Return a run's project as a check prints it, for ``--dry-run``.

    Args:
        settings: What the project was made from.
        resolution: What they mean.
        cwd: The current folder.

    Raises:
        UsageError: A TOML file has changed meanwhile, and is wrong now.
    """
    from devrun.cli.check.source import source_of
    from devrun.cli.describe import View, describe

    source = source_of(settings, resolution, environ, cwd=cwd)
    view = View(left_out=source.left_out, places=source.places)
    return describe(_masked(resolution.project, source), view)


def _masked(project: Project, source: Source) -> Project:
    if not source.substituted:
        return project
    from devrun.cli.check.secrets import masked

    return masked(project, source)


def _current_folder() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current folder does not exist any more; change to another") from None


class _Check:
    """One check: what was asked for, and where."""

    def __init__(self, line: CheckLine, environ: Mapping[str, str]) -> None:
        self._line = line
        self._environ = environ
        self._cwd = _current_folder()
        self._env_names: tuple[str, ...] = ()
        self._read_once = ReadOnce()
        self._unreadable: dict[str, None] = {}

    def run(self) -> int:
        """Do what was asked for; return the exit code."""
        line = self._line
        resolution, shown = self._resolved()
        project = resolution.project
        for warning in (*resolution.warnings, *self._other_readings(project)):
            complain(warning)
        if self._unreadable and (shown is not None or line.style == "procfile"):
            raise UsageError(next(iter(self._unreadable)))
        if shown is not None:
            self._print_variables(project, shown)
            return ExitCode.OK
        if line.style == "procfile":
            from devrun.cli.check.formats import as_procfile

            _print(_encoded(as_procfile(project)))
            return ExitCode.OK
        return self._show(self._checked(resolution))

    def _resolved(self) -> tuple[Resolution, str | None]:
        """Return the project, and the name of the service whose variables are asked for."""
        resolution = self._resolve(self._line.settings)
        if not self._line.names:
            return resolution, None
        from devrun.cli.check.source import paths_of
        from devrun.cli.check.variables import find_named
        from devrun.config.definitions import Format, format_of

        names = self._line.names
        shown = [name for name in names if find_named(resolution.project, name) is not None]
        others = tuple(name for name in names if name not in shown)
        root = resolution.project.root
        files = paths_of(self._line.settings, cwd=self._cwd, root=root)
        if others and not (files and format_of(files[0]) is Format.ECOSYSTEM):
            services = resolution.project.services
            labels = [*dict.fromkeys(n for s in services for n in (s.process, s.label) if n)]
            message = f"--env {others[0]}: no service of that name{choices(others[0], labels)}"
            raise UsageError(message)
        if len(shown) > 1:
            raise UsageError(f"--env {shown[1]}: the variables of {shown[0]} are asked for already")
        if others:
            self._env_names = others
            resolution = self._resolve(self._line.settings)
        if self._line.style == "env" and not shown:
            raise UsageError("--format env needs --env with the name of a service")
        return resolution, shown[0] if shown else None

    def _resolve(self, settings: RunSettings) -> Resolution:
        from devrun.config.resolve import resolve

        return resolve(
            replace(settings, env=(*settings.env, *self._env_names)),
            cwd=self._cwd,
            environ=self._environ,
            color_level=ColorLevel.NONE,
            ecosystem_reader=self._read_once,
            unreadable=self._unreadable,
        )

    def _other_readings(self, project: Project) -> Iterator[str]:
        """Yield what other programs read otherwise in the Procfiles."""
        if not project.procfile:
            return
        from devrun.cli.check.source import paths_of
        from devrun.config import procfile
        from devrun.config.portability import portability

        for path in paths_of(self._line.settings, cwd=self._cwd, root=project.root):
            with open(os.path.join(project.root, path), "rb") as file:
                text = file.read()
            yield from portability(text, procfile.parse(text, path))

    def _print_variables(self, project: Project, name: str) -> None:
        from devrun.cli.check.variables import find_named, print_variables

        line = self._line
        if line.style not in {"text", "env"}:
            message = f"--format {line.style} and --env {name} contradict each other"
            raise UsageError(f"{message}; leave one out")
        service = find_named(project, name)
        if service is not None:
            print_variables(project, service, line.style, show_values=line.show_values)

    # -- the whole project ------------------------------------------------------------------

    def _checked(self, resolution: Resolution) -> Checked:
        from devrun.cli.check.formats import Checked
        from devrun.cli.check.problems import findings_of
        from devrun.cli.check.source import source_of

        line, project = self._line, resolution.project
        source = source_of(line.settings, resolution, self._environ, cwd=self._cwd)
        return Checked(
            project if line.show_values else _masked(project, source),
            source,
            findings_of(
                project,
                self._environ,
                left_out=source.left_out,
                unreadable=self._unreadable,
            ),
            self._origins(project, source) if line.origins or line.style == "json" else None,
            resolution.warnings,
            show_values=line.show_values,
        )

    def _origins(self, project: Project, source: Source) -> dict[str, object]:
        """Compare with the projects that less of what was said would be."""
        from devrun.cli.check.origins import COMMAND_LINE, ENVIRONMENT, Stage, origins_of
        from devrun.cli.check.source import bare, choosing

        line = self._line
        stages = [Stage(COMMAND_LINE, project)]
        base: Project | None = None
        if source.places:
            chosen = bare(line.settings)
            in_variables = choosing(line.in_variables, chosen)
            base = project
            if line.settings != chosen:
                base = self._project(chosen)
            if base is not None and in_variables not in {chosen, line.settings}:
                without_words = self._project(in_variables)
                stages += [Stage(ENVIRONMENT, without_words)] if without_words is not None else []
            elif in_variables == line.settings:
                stages = [Stage(ENVIRONMENT, project)]
        return origins_of(stages, base, source)

    def _project(self, settings: RunSettings) -> Project | None:
        """Return a project; None if the settings do not make one."""
        try:
            return self._resolve(settings).project
        except UsageError:
            return None

    def _show(self, checked: Checked) -> int:
        from devrun.cli.check.formats import as_json, as_text, as_toml

        formats = {"text": as_text, "toml": as_toml, "json": as_json}
        _print(_encoded(formats[self._line.style](checked)))
        findings = checked.findings
        for finding in (*findings.doubts, *findings.problems):
            complain(str(finding))
        return ExitCode.FAILURE if findings.problems else ExitCode.OK
