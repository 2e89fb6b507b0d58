"""``devrun startup``: have a project started with the machine, by systemd or by launchd.

What is written names the program, the folder and the words, and holds no variable and no value: the
run reads its configuration and its ``.env`` files itself, at each start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from devrun.cli.loading import current_folder, resolution_of
from devrun.config.command_line import Reading
from devrun.config.flags import Flag, Takes
from devrun.config.option_reader import Request
from devrun.config.settings import RunSettings
from devrun.config.startup_line import STARTUP_FLAGS, StartupLine, read_startup_line
from devrun.config.up_line import naming_services
from devrun.errors import ExitCode, UsageError
from devrun.export.startup import (
    MARK,
    Startup,
    agent_name,
    launchd_agent,
    systemd_unit,
    unit_name,
)
from devrun.output.complaint import complain
from devrun.process.login_manager import LoginManager, login_manager, user_id


def startup(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Write, show or remove the file; return the exit code.

    Args:
        words: What stands behind ``startup``.

    Raises:
        UsageError: Something is wrong; nothing was written.
    """
    if login_manager() is None:
        raise UsageError("startup is for systemd and launchd; there is neither on Windows")
    line = read_startup_line(words)
    if isinstance(line, Request):
        return _answer(line)
    target = _Target(_what(line, environ), environ)
    if line.remove:
        return target.remove()
    _check(line.reading)
    _tell_of_variables(line, environ)
    if line.print:
        sys.stdout.write(target.text)
        return ExitCode.OK
    return target.write()


def _answer(request: Request) -> int:
    from devrun import __version__
    from devrun.cli.app import main

    if request is Request.HELP:
        return main(["startup", "--help"])
    sys.stdout.write(f"devrun {__version__}\n")
    return ExitCode.OK


def _check(reading: Reading) -> None:
    """See that it can run, and that no command is written down, which may hold a secret.

    Raises:
        UsageError: It cannot, or one would be.
    """
    try:
        folder = current_folder()
        settings = naming_services(reading.settings, folder)
        resolution = resolution_of(settings, cwd=folder, terminal=False)
    except UsageError as error:
        raise UsageError(reading.in_their_words(str(error))) from error
    if resolution.defined is None or any(not s.process for s in resolution.project.services):
        message = "startup is for what a file says, and would write commands down"
        raise UsageError(f"{message}; put them into a devrun.toml or a Procfile")
    for warning in (*reading.warnings, *resolution.warnings):
        complain(warning)


def _tell_of_variables(line: StartupLine, environ: Mapping[str, str]) -> None:
    """Warn of this shell's options for runs, which are not there when the machine starts."""
    from devrun.config.flags import concurrently_flag, variables

    own, usual = variables(), RunSettings()
    ways: dict[str, str] = {}
    for name in (name for name in environ if environ[name]):
        flag = own.get(name) or concurrently_flag(name)
        if flag is None or flag not in STARTUP_FLAGS:
            continue
        if getattr(line.reading.settings, flag.field) == getattr(usual, flag.field):
            ways[name] = _in_words(flag, environ[name])
    if ways:
        hold = "holds" if len(ways) == 1 else "hold"
        message = (
            f"{', '.join(ways)}: {hold} for this shell alone, and not for what is started there"
        )
        way = " ".join(dict.fromkeys(ways.values()))
        complain(f"{message}; if it is to, write devrun startup {way}")


def _in_words(flag: Flag, text: str) -> str:
    """Return how words say what a variable says, without its value."""
    if flag.field == "env":
        return "--env-file …"
    if flag.takes is not Takes.NOTHING:
        return f"{flag.name} …"
    off = text.strip().lower() in ("0", "false", "no", "off")
    return f"{flag.name}=false" if off else flag.name


def _what(line: StartupLine, environ: Mapping[str, str]) -> Startup:
    from devrun.cli.export import own_words
    from devrun.config.resolve import root_folder, run_name
    from devrun.control.background import LOG
    from devrun.control.state_folder import state_folder

    folder = current_folder()
    root, name = root_folder(line.reading.settings, folder), run_name(line.reading.settings)
    state = state_folder(root, name, environ)
    return Startup(
        slug=os.path.basename(state),
        title=name or os.path.basename(root) or root,
        folder=folder,
        words=(*own_words(), "up", *line.words),
        log=os.path.join(state, LOG),
    )


class _Target:
    """Where the file goes, and what is to be done with it there."""

    def __init__(self, this: Startup, environ: Mapping[str, str]) -> None:
        self._this = this
        self._is_launchd = login_manager() is LoginManager.LAUNCHD
        home = environ.get("HOME") or os.path.expanduser("~")
        if self._is_launchd:
            self._folder = os.path.join(home, "Library", "LaunchAgents")
            self._name = agent_name(this.slug)
        else:
            config = environ.get("XDG_CONFIG_HOME", "")
            base = config if os.path.isabs(config) else os.path.join(home, ".config")
            self._folder = os.path.join(base, "systemd", "user")
            self._name = unit_name(this.slug)

    @property
    def _path(self) -> str:
        return os.path.join(self._folder, self._name)

    @property
    def _link(self) -> str:
        """What ``systemctl --user enable`` would make."""
        return os.path.join(self._folder, "default.target.wants", self._name)

    @property
    def text(self) -> str:
        """What the file holds."""
        return launchd_agent(self._this) if self._is_launchd else systemd_unit(self._this)

    def write(self) -> int:
        """Write the file, and have it looked at when the machine starts."""
        self._refuse_foreign()
        text = self.text
        try:
            os.makedirs(self._folder, exist_ok=True)
            with open(f"{self._path}.new", "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
            os.replace(f"{self._path}.new", self._path)
            if self._is_launchd:
                from devrun.control.background import make_folders

                make_folders(os.path.dirname(self._this.log))
            else:
                os.makedirs(os.path.dirname(self._link), exist_ok=True)
                with suppress(FileExistsError):
                    os.symlink(self._path, self._link)
        except OSError as error:
            raise _cannot(error, self._path) from None
        sys.stdout.write(f"wrote {self._path}\n")
        for line in self._next():
            sys.stdout.write(f"{line}\n")
        return ExitCode.OK

    def _next(self) -> Sequence[str]:
        if self._is_launchd:
            return (
                f"now:   launchctl bootstrap gui/{user_id()} {self._path}",
                "later: it is started whenever you log in",
            )
        return (
            f"now:   systemctl --user daemon-reload && systemctl --user start {self._name}",
            "later: it is started whenever you log in; with the machine, if you say once",
            f"       loginctl enable-linger {_user()}",
            "note:  PATH is systemd's, not this shell's; ~/.config/environment.d/*.conf can set it",
        )

    def remove(self) -> int:
        """Take the file away; where there is none, nothing is to be done."""
        if not os.path.lexists(self._path):
            complain(f"{self._path}: is not there; nothing is to be removed")
            return ExitCode.OK
        self._refuse_foreign()
        try:
            with suppress(FileNotFoundError):
                if not self._is_launchd:
                    os.unlink(self._link)
            os.unlink(self._path)
        except OSError as error:
            raise _cannot(error, self._path) from None
        label = self._name.removesuffix(".plist")
        stop = (
            f"launchctl bootout gui/{user_id()}/{label}"
            if self._is_launchd
            else f"systemctl --user stop {self._name}; systemctl --user daemon-reload"
        )
        sys.stdout.write(f"removed {self._path}\nnow:   {stop}\n")
        return ExitCode.OK

    def _refuse_foreign(self) -> None:
        """Leave alone what somebody else has written.

        Raises:
            UsageError: Somebody has.
        """
        try:
            with open(self._path, encoding="utf-8", errors="replace") as file:
                is_own = MARK in file.read(400)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _cannot(error, self._path) from None
        if not is_own:
            raise UsageError(f"{self._path}: is not by devrun startup; move it away first")


def _cannot(error: OSError, path: str) -> UsageError:
    reason = (error.strerror or str(error)).lower()
    return UsageError(f"{error.filename or path}: cannot be written: {reason}")


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(user_id())
