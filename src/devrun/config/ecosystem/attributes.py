"""The attributes of an app in a PM2 ecosystem file: their names, and what becomes of each.

Names and aliases are those of PM2 7.0.4 (``lib/API/schema.json``). Every name with underscores has
a second one in camel case, too (``maxRestarts``). docs/from-pm2.md has the same table in words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Treatment(Enum):
    """What devrun makes of an attribute."""

    HONOURED = "honoured"
    MAPPED = "mapped"
    """Taken for what comes nearest; a warning says what is different."""
    WITHOUT_EFFECT = "without effect"
    """Accepted; a warning says why nothing comes of it, and what to do instead."""
    IGNORED = "ignored"
    """Accepted without effect: it has no meaning outside of PM2."""
    REFUSED = "refused"
    """The app cannot be run with it."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an app.

    Attributes:
        name: Its chief name.
        aliases: Further names, apart from the one in camel case.
    """

    name: str
    treatment: Treatment = Treatment.HONOURED
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the chief one first."""
        return tuple(dict.fromkeys((self.name, *self.aliases, _camel_case(self.name))))


def _camel_case(name: str) -> str:
    """Return a name as PM2 derives it: parts of a single letter stay small."""
    first, *others = name.split("_")
    return first + "".join(p[:1].upper() + p[1:] if len(p) > 1 else p for p in others)


_H, _M, _I = Treatment.HONOURED, Treatment.MAPPED, Treatment.IGNORED

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute("script", aliases=("exec", "cmd", "command")),
    Attribute("name"),
    Attribute("name_prefix"),
    Attribute("namespace", Treatment.WITHOUT_EFFECT),
    Attribute("cwd"),
    Attribute("args"),
    Attribute("exec_interpreter", aliases=("interpreter",)),
    Attribute("node_args", aliases=("interpreterArgs", "interpreter_args")),
    Attribute("env"),
    Attribute("filter_env"),
    Attribute("append_env_to_name"),
    Attribute("port"),
    Attribute("instances"),
    Attribute("exec_mode"),
    Attribute("increment_var"),
    Attribute("instance_var"),
    Attribute("autostart"),
    Attribute("autorestart"),
    Attribute("stop_exit_codes"),
    Attribute("max_restarts"),
    Attribute("min_uptime"),
    Attribute("restart_delay"),
    Attribute("exp_backoff_restart_delay"),
    Attribute("max_memory_restart"),
    Attribute("cron_restart", Treatment.WITHOUT_EFFECT, aliases=("cron",)),
    Attribute("wait_ready"),
    Attribute("listen_timeout"),
    Attribute("kill_timeout"),
    Attribute("shutdown_with_message"),
    Attribute("treekill", _M),
    Attribute("kill_retry_time", _I),
    Attribute("watch"),
    Attribute("ignore_watch", _M),
    Attribute("watch_delay"),
    Attribute("watch_options", _M),
    Attribute("out_file", aliases=("out", "output", "out_log")),
    Attribute("error_file", aliases=("error", "err", "err_file", "err_log")),
    Attribute("log_file", _M, aliases=("log",)),
    Attribute("merge_logs", aliases=("combine_logs",)),
    Attribute("log_date_format"),
    Attribute("time"),
    Attribute("log_type"),
    Attribute("disable_logs"),
    Attribute("pid_file", Treatment.WITHOUT_EFFECT, aliases=("pid",)),
    Attribute("uid", Treatment.REFUSED, aliases=("user",)),
    Attribute("gid", Treatment.REFUSED),
    Attribute("source_map_support", _M),
    Attribute("disable_source_map_support", _M),
    *(
        Attribute(name, _I)
        for name in (
            "username",
            "windowsHide",
            "force",
            "write",
            "execute_command",
            "install_url",
            "post_update",
            "vizion",
            "pmx",
            "automation",
            "trace",
            "disable_trace",
            "v8",
            "event_loop_inspector",
            "deep_monitoring",
            "io",
        )
    ),
)
"""All of them but ``env_NAME``, of which there are as many as somebody writes."""

_BY_NAME = {name: attribute for attribute in ATTRIBUTES for name in attribute.names}
_ENVIRONMENT = re.compile(r"env_\S*")


@dataclass(frozen=True, slots=True)
class Sorted:
    """The keys of an app, sorted out.

    Attributes:
        values: What is given, by the chief name of each attribute.
        environments: What stands behind ``env_NAME``, by NAME.
        ignored: Attributes that are given and have no effect.
        unknown: Keys that PM2 does not know either.
    """

    values: Mapping[str, object]
    environments: Mapping[str, object]
    ignored: tuple[str, ...]
    unknown: tuple[str, ...]


def sort_out(app: Mapping[str, object]) -> Sorted:
    """Return the keys of an app by what they are.

    Of several names of one attribute the chief one counts, else the first; what is null was not
    given.
    """
    values: dict[str, object] = {}
    environments: dict[str, object] = {}
    unknown: list[str] = []
    ignored: dict[str, None] = {}
    for key, value in app.items():
        attribute = _BY_NAME.get(key)
        if value is None:
            continue
        if attribute is None and _ENVIRONMENT.fullmatch(key):
            environments[key.removeprefix("env_")] = value
        elif attribute is None:
            unknown.append(key)
        elif attribute.treatment is Treatment.IGNORED:
            ignored[attribute.name] = None
        elif key == attribute.name or attribute.name not in values:
            values[attribute.name] = value
    return Sorted(values, environments, tuple(ignored), tuple(unknown))


def attribute_names() -> tuple[str, ...]:
    """Return every name that an attribute has, for the nearest one to a wrong one."""
    return tuple(_BY_NAME)
