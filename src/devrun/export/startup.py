"""The file that has a project started with the machine: a systemd user unit, or a launchd agent."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from devrun import __version__
from devrun.errors import UsageError
from devrun.export.quoting import FILTERS

MARK = "Made by devrun startup"
"""How the first lines of a file say that it may be replaced and removed."""

_ALIEN = re.compile(r"[^A-Za-z0-9:_.-]")
"""What cannot stand in a unit's name (systemd.unit(5)); ``@`` and a backslash mean something."""

_LONGEST = 200
"""Characters of a slug in a file's name, which has room for 255 bytes."""


@dataclass(frozen=True, slots=True)
class Startup:
    """What is to be started.

    Attributes:
        slug: What tells the project from all others of this user, as a part of a file's name.
        title: What people call it.
        folder: Absolute path of the folder that it is started in.
        words: The program, as an absolute path, and its arguments.
        log: Absolute path of the file for what it writes, where nobody else keeps that.
    """

    slug: str
    title: str
    folder: str
    words: Sequence[str]
    log: str


def systemd_unit(this: Startup) -> str:
    """Return the text of a user unit (systemd.service(5)).

    Raises:
        UsageError: systemd cannot be told of the folder or a word.
    """
    _check_text(this, "systemd")
    return _render("unit.service", this)


def launchd_agent(this: Startup) -> str:
    """Return the text of a property list (launchd.plist(5)).

    Raises:
        UsageError: launchd cannot be told of the folder or a word.
    """
    _check_text(this, "launchd")
    return _render("agent.plist", this)


def unit_name(slug: str) -> str:
    """Return the name of a unit's file."""
    return f"devrun-{_plain(slug)}.service"


def agent_name(slug: str) -> str:
    """Return the name of an agent's file; its label is the same without the end."""
    return f"devrun.{_plain(slug)}.plist"


def _plain(slug: str) -> str:
    """Return a slug as a name takes it; its end is what tells it from all others."""
    return _ALIEN.sub("_", slug)[-_LONGEST:]


def _check_text(this: Startup, reader: str) -> None:
    """Refuse bytes that are no UTF-8, for which neither kind of file has a form.

    Raises:
        UsageError: There are some.
    """
    for text in (this.folder, *this.words):
        if not text.isascii() and (shown := _shown(text)) != text:
            raise UsageError(f"{shown}: not UTF-8, and {reader} takes nothing else; rename it")


def _shown(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _render(template: str, this: Startup) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("devrun.export", os.path.join("templates", "startup")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - no HTML; the filters quote
    )
    environment.filters.update(FILTERS)
    return environment.get_template(f"{template}.j2").render(
        mark=f"{MARK} (devrun {__version__})",
        title=this.title,
        folder=this.folder,
        words=this.words,
        label=agent_name(this.slug).removesuffix(".plist"),
        log=this.log,
    )
