"""Templates to text, with the project's own templates before those of the package."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import jinja2

from devrun import __version__
from devrun.errors import UsageError
from devrun.export.deployment import Deployment
from devrun.export.quoting import FILTERS

MARK = "Made by devrun export"
"""How the first lines of a file say that an export may replace it."""

_FAULTS = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)
"""What an expression of a template can raise beside the errors of templates, or its file."""


def mark_of(style: str, deployment: Deployment) -> str:
    """Return what the first lines of an application's files of one kind have in them."""
    return f"{MARK} {style} for {deployment.slug} "


def has_mark(lines: Iterable[str], mark: str = MARK) -> bool:
    """Whether the first three lines of a file have a mark: of any export, or a certain one."""
    return any(mark in line for line in islice(lines, 3))


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export.

    Attributes:
        path: Relative to the folder of the export.
        executable: It is a program.
        private: It holds secrets.
        bare: It is one word, and has no place for the mark.
    """

    path: str
    text: str
    executable: bool = False
    private: bool = False
    bare: bool = False


class Renderer:
    """Renders the templates of one format for one deployment.

    Args:
        folder: Folder of templates that replace the package's of the same name, or None.

    Raises:
        UsageError: There is no such folder.
    """

    def __init__(self, style: str, deployment: Deployment, folder: str | None) -> None:
        if folder is not None and not os.path.isdir(folder):
            raise UsageError(f"--template {folder}: no such folder")
        self._style = style
        self._folder = folder
        own = [jinja2.FileSystemLoader(folder)] if folder is not None else []
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader([*own, jinja2.PackageLoader("devrun.export")]),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - none of the formats is HTML; the filters quote
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(
            deployment=deployment,
            mark=f"{mark_of(style, deployment)}(devrun {__version__})",
        )

    def define(self, **variables: object) -> None:
        """Give all templates these variables."""
        self._environment.globals.update(variables)

    def __call__(self, template: str, **variables: object) -> str:
        """Return a template's text.

        Raises:
            UsageError: A template of the user's is wrong.
        """
        names = [f"{template}.j2", f"{self._style}/{template}.j2"]
        place = f"--template: {names[0]}"
        try:
            return self._environment.select_template(names).render(variables)
        except jinja2.TemplateSyntaxError as error:
            line = f"{error.filename or error.name}:{error.lineno}"
            raise UsageError(f"{line}: {error.message}") from None
        except RecursionError:
            raise UsageError(f"{place}: includes or calls itself without end") from None
        except jinja2.TemplateNotFound as error:
            raise UsageError(f"{place}: no template {error}") from None
        except (jinja2.TemplateError, *_FAULTS) as error:
            if self._folder is None:
                raise
            raise UsageError(f"{place}: {error}") from None
