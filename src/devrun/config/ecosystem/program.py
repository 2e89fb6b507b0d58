"""The program of an app: ``script``, ``exec_interpreter``, ``node_args`` and ``args``.

As with PM2, the extension of the script says what interprets it, and a script with a blank in it
is a line for bash. A script without an extension is executed if the system can do that: it begins
with ``#!``, or is a compiled program. PM2 has Node interpret these too, and they fail; what else
has no extension is left to Node, as there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devrun.config.ecosystem.app import App, absolute
from devrun.config.ecosystem.runtime import version_of

_INTERPRETERS = {
    ".sh": "bash",
    ".py": "python",
    ".rb": "ruby",
    ".php": "php",
    ".pl": "perl",
    ".js": "node",
    ".cjs": "node",
    ".mjs": "node",
    ".coffee": "coffee",
    ".ls": "lsc",
    ".ts": "bun",
    ".tsx": "bun",
}
"""What interprets a script (``lib/API/interpreter.json``)."""

_HEAD = 256
"""Bytes of a script that are looked at; Linux looks at as many for ``#!`` (execve(2))."""
_NODES = ("node", "nodejs")


@dataclass(frozen=True, slots=True)
class Program:
    """What an app runs.

    Attributes:
        argv: Program and arguments.
        command: The same as a line, for show.
        is_node: It is a script of the project that Node runs, so that it is Node's to share ports.
        problem: Why it cannot be run, or None.
    """

    argv: tuple[str, ...]
    command: str
    is_node: bool = False
    problem: str | None = None


def program_of(app: App, *, node_version: Callable[[], str | None]) -> Program:
    """Return what an app runs.

    Args:
        node_version: Returns the version of ``node``, or None if there is none.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    script = app.text("script") or ""
    path = absolute(script, app.folder)
    if script == "serve":
        problem = "PM2's own file server is not part of devrun"
        return Program((script,), script, problem=f'{problem}; write script: "npx serve FOLDER"')
    if " " in script and not os.path.exists(path):
        return _shell_line(app, script)
    if os.path.exists(path):
        return _file(app, script, path, node_version)
    found = None if "/" in script else find_on_path(app, script)
    if found is None:
        return Program((script,), script, problem=_missing(app, script, path))
    interpreter = app.text("exec_interpreter")
    if interpreter in (None, "none"):
        _warn_of_unused_arguments(app, script)
        return _line((script, *app.words("args")))
    return _interpreted(app, interpreter or "", (), found, script)


def find_on_path(app: App, name: str) -> str | None:
    """Return the path of a program that is in PATH, or None."""
    from shutil import which

    return which(name, path=app.environ.get("PATH", os.defpath))


def _line(argv: Sequence[str], *, shown: Sequence[str] = ()) -> Program:
    from shlex import join

    return Program(tuple(argv), join(shown or argv))


def _shell_line(app: App, line: str) -> Program:
    for attribute in ("args", "exec_interpreter", "node_args"):
        if app.get(attribute):
            app.warn(f"{attribute} is not used: script is a whole command line, as in PM2")
    shell = "bash" if find_on_path(app, "bash") else "sh"
    return Program((shell, "-c", line), line)


def _missing(app: App, script: str, path: str) -> str:
    if "/" in script or os.path.splitext(script)[1] in _INTERPRETERS:
        return f"no such script: {path}"
    local = os.path.join("node_modules", ".bin", script)
    if os.path.exists(os.path.join(app.folder, local)):
        return f'no program "{script}" in PATH; did you mean "{local}"?'
    return f'no script "{script}" in {app.folder}, and no such program in PATH'


def _file(app: App, script: str, path: str, node_version: Callable[[], str | None]) -> Program:
    said = app.text("exec_interpreter")
    if said == "none":
        _warn_of_unused_arguments(app, script)
        return _line((path, *app.words("args")), shown=(script, *app.words("args")))
    if said:
        return _interpreted(app, said, (), path, script)
    extension = os.path.splitext(path)[1]
    if extension in (".ts", ".tsx") and not find_on_path(app, "bun"):
        return _typescript(app, path, script, node_version)
    interpreter = _INTERPRETERS.get(extension)
    if interpreter is None and _is_executable(path):
        _warn_of_unused_arguments(app, script)
        return _line((path, *app.words("args")), shown=(script, *app.words("args")))
    if interpreter == "python" and not find_on_path(app, "python"):
        interpreter = "python3"
    return _interpreted(app, interpreter or "node", (), path, script)


def _is_executable(path: str) -> bool:
    """Whether the system can execute a file; one that Node is to run is left to Node."""
    if os.path.isdir(path) or not os.access(path, os.X_OK):
        return False
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return True  # It may be executed without being read.
    if head.startswith(b"#!"):
        words = head[2:].partition(b"\n")[0].decode("utf-8", "replace").split()
        names = [os.path.basename(word) for word in words if not word.startswith("-")]
        return not any(name in _NODES for name in names[:2])
    return b"\0" in head


def _typescript(
    app: App, path: str, script: str, node_version: Callable[[], str | None]
) -> Program:
    version = version_of(node_version())
    if script.endswith(".tsx") or version < (22, 6):
        needed = "bun" if script.endswith(".tsx") else "bun, Node 22.6 or later"
        problem = f'to run {script} takes {needed}, or an exec_interpreter such as "tsx"'
        return Program((path,), script, problem=problem)
    native = (22, 18) <= version < (23,) or version >= (23, 6)
    flags = () if native else ("--experimental-strip-types",)
    return _interpreted(app, "node", flags, path, script)


def _interpreted(
    app: App, interpreter: str, flags: tuple[str, ...], path: str, script: str
) -> Program:
    program = _versioned(app, interpreter)
    if program is None:
        problem = f'exec_interpreter "{interpreter}": not there; install it with nvm'
        return Program((interpreter,), script, problem=problem)
    if "/" in program and not os.path.isabs(program):
        program = absolute(program, app.folder)
    # PM2 looks at the end of the name only: "/opt/node" and "my-node" are Node.
    is_node = os.path.basename(program).endswith(_NODES)
    options = [*app.words("node_args"), *flags]
    if is_node and _wants_source_maps(app) and "--enable-source-maps" not in options:
        options.append("--enable-source-maps")
    arguments = app.words("args")
    found = _line(
        (program, *options, path, *arguments), shown=(interpreter, *options, script, *arguments)
    )
    return Program(found.argv, found.command, is_node=is_node)


def _versioned(app: App, interpreter: str) -> str | None:
    """Return the program of ``node@VERSION``, which nvm has installed, or None if it has not."""
    name, at, version = interpreter.partition("@")
    if name != "node" or not at:
        return interpreter
    folder = app.environ.get("NVM_DIR", "")
    path = os.path.join(folder, "versions", "node", f"v{version}", "bin", "node")
    return path if folder and os.path.exists(path) else None


def _wants_source_maps(app: App) -> bool:
    disabled = app.flag("disable_source_map_support", default=False)
    return app.flag("source_map_support", default=False) and not disabled


def _warn_of_unused_arguments(app: App, script: str) -> None:
    if app.words("node_args"):
        app.warn(f"node_args are not used: {script} is executed itself; set exec_interpreter")
