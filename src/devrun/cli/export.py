"""``devrun export``: write a project as files for what runs it elsewhere."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence

from devrun.appearance import ColorLevel
from devrun.config.export_line import ExportLine, read_export_line
from devrun.config.option_reader import Request
from devrun.config.resolve import resolve
from devrun.errors import ExitCode, UsageError
from devrun.export.deployment import Deployment, ExportOptions, make_deployment
from devrun.export.formats import FORMATS, make_files
from devrun.export.origins import Origins
from devrun.export.render import ExportFile, mark_of
from devrun.export.writing import write_files
from devrun.output.complaint import complain

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\$?|\d+")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]*")


def export(words: Sequence[str], environ: Mapping[str, str]) -> int:
    """Write the files; return the exit code.

    Args:
        words: What stands behind ``export``.

    Raises:
        UsageError: Something is wrong; nothing was written.
    """
    line = read_export_line(words, cwd=os.getcwd())
    if isinstance(line, Request):
        return _answer(line)
    cwd = os.getcwd()
    resolution = resolve(line.settings, cwd=cwd, environ=environ, color_level=ColorLevel.NONE)
    for warning in resolution.warnings:
        complain(warning)
    folder = os.path.abspath(os.path.join(cwd, "." if line.folder == "-" else line.folder))
    options = _options(line)
    files, root = line.settings.files, resolution.project.root
    origins = Origins(files, cwd=root, environ=environ, public=options.public)
    deployment = make_deployment(resolution.project, options, environ, origins)
    templates = line.text("template")
    made, notes = make_files(line.style, deployment, folder=folder, templates=templates)
    if line.folder == "-":
        _print(made)
    else:
        _write(made, folder, line.style, deployment)
    for note in notes:
        complain(f"note: {note}")
    return ExitCode.OK


def _answer(request: Request) -> int:
    from devrun import __version__
    from devrun.cli.app import main

    if request is Request.HELP:
        return main(["export", "--help"])
    sys.stdout.write(f"devrun {__version__}\n")
    return ExitCode.OK


def _options(line: ExportLine) -> ExportOptions:
    user, image, public = line.text("user"), line.text("image"), line.text("public")
    if user is not None and not _USER.fullmatch(user):
        raise UsageError(f'--user "{user}": is no name of a user')
    if image is not None and not _IMAGE.fullmatch(image):
        raise UsageError(f'--image "{image}": write REPOSITORY, HOST/OWNER/REPOSITORY:TAG')
    logs = line.text("logs")
    if logs == "":
        raise UsageError('--log "": the name of a folder is missing')
    return ExportOptions(
        application=line.text("application"),
        user=user,
        logs=None if logs is None else os.path.abspath(logs),
        image=image,
        public=tuple(name.strip() for name in (public or "").split(",") if name.strip()),
        include_secrets=bool(line.said.get("include_secrets")),
        devrun=own_words(),
    )


def own_words() -> tuple[str, ...]:
    """Return the words that start this devrun, from wherever."""
    program = shutil.which(sys.argv[0]) if os.path.basename(sys.argv[0]) == "devrun" else None
    return (os.path.abspath(program),) if program else (sys.executable, "-m", "devrun")


def _print(files: Sequence[ExportFile]) -> None:
    for file in files:
        sys.stdout.write(f"==> {file.path} <==\n{file.text}\n")


def _write(files: Sequence[ExportFile], folder: str, style: str, deployment: Deployment) -> None:
    chosen = FORMATS[style]
    mark, patterns = mark_of(chosen.templates, deployment), chosen.patterns(deployment.slug)
    removed = write_files(files, folder=folder, mark=mark, patterns=patterns)
    shown = os.path.relpath(folder)
    for file in files:
        sys.stdout.write(f"wrote {os.path.join(shown, file.path)}\n")
    for path in removed.files:
        sys.stdout.write(f"removed {os.path.join(shown, path)}\n")
    for path, names in removed.left:
        message = f"note: {os.path.join(shown, path)}: has no program any more, and still holds"
        complain(f"{message} {', '.join(names)}; take the folder away")
    hint = chosen.next.format(folder=shown, slug=deployment.slug)
    sys.stdout.write(f"next: {hint}\n")
