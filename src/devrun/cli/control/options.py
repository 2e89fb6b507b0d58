"""The options of the commands that ask a running devrun: how they are spelled."""

from __future__ import annotations

from devrun.config.flags import Flag, Takes

_JSON = Flag("json", ("--json",), Takes.NOTHING)
_PROJECT = Flag("project", ("--name",))
_COLOR = Flag("color", ("--color",), Takes.NOTHING)
_PLAIN = (_JSON, _PROJECT)

TABLES = {
    "ps": (
        Flag("watch", ("--watch", "-w"), Takes.NOTHING),
        Flag("all", ("--all", "-a"), Takes.NOTHING),
        *_PLAIN,
        _COLOR,
    ),
    "logs": (
        Flag("follow", ("--follow", "-f"), Takes.NOTHING),
        Flag("lines", ("--lines", "-n", "--tail")),
        Flag("since", ("--since",)),
        Flag("grep", ("--grep", "-g")),
        Flag("err", ("--err",), Takes.NOTHING),
        Flag("timestamps", ("--timestamps", "-t"), Takes.NOTHING),
        *_PLAIN,
        _COLOR,
    ),
    "restart": _PLAIN,
    "stop": _PLAIN,
    "reload": _PLAIN,
    "scale": _PLAIN,
    "signal": _PLAIN,
    "down": (Flag("kill_after", ("--timeout", "-t")), *_PLAIN),
    "show": (*_PLAIN, _COLOR),
    "events": (*_PLAIN, _COLOR),
    "attach": (
        Flag("detach_keys", ("--detach-keys",)),
        Flag("no_stdin", ("--no-stdin",), Takes.NOTHING),
        _PROJECT,
    ),
    "wait": (Flag("what", ("--for",)), Flag("timeout", ("--timeout",)), *_PLAIN),
}
"""The options of each command."""
