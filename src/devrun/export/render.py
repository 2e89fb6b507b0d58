"""Templates to text, with the project's own templates before those of the package."""

from __future__ import annotations

import os
from dataclasses import dataclass

import jinja2

from devrun import __version__
from devrun.errors import UsageError
from devrun.export.deployment import Deployment
from devrun.export.quoting import FILTERS

MARK = "Made by devrun export"
"""How the first lines of a file say that an export may replace it."""

_FAULTS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an expression of a template can raise beside the errors of templates."""


def mark_of(style: str, deployment: Deployment) -> str:
    """Return what the first lines of an application's files of one kind have in them."""
    return f"{MARK} {style} for {deployment.slug} "


@dataclass(frozen=True, slots=True)
class ExportFile:
    """One file of an export.

    Attributes:
        path: Relative to the folder of the export.
        executable: It is a program.
        private: It holds secrets.
    """

    path: str
    text: str
    executable: bool = False
    private: bool = False


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
        try:
            return self._environment.select_template(names).render(variables)
        except jinja2.TemplateSyntaxError as error:
            place = f"{error.filename or error.name}:{error.lineno}"
            raise UsageError(f"{place}: {error.message}") from None
        except (jinja2.TemplateError, *_FAULTS) as error:
            if self._folder is None:
                raise
            raise UsageError(f"--template: {template}.j2: {error}") from None
