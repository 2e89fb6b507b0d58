"""The file that has a project started with the machine: a systemd user unit, or a launchd agent."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2

from devrun import __version__
from devrun.export.quoting import FILTERS

MARK = "Made by devrun startup"
"""How the first lines of a file say that it may be replaced and removed."""


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
        UsageError: systemd cannot be told of the folder.
    """
    return _render("unit.service", this)


def launchd_agent(this: Startup) -> str:
    """Return the text of a property list (launchd.plist(5))."""
    return _render("agent.plist", this)


def unit_name(slug: str) -> str:
    """Return the name of a unit's file."""
    return f"devrun-{slug}.service"


def agent_name(slug: str) -> str:
    """Return the name of an agent's file; its label is the same without the end."""
    return f"devrun.{slug}.plist"


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
