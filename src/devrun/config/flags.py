"""The options of ``devrun run``: how each is spelled, and what it takes. Said here once.

The spellings are concurrently's wherever it has the option, so that a line written for it works
with one word changed; ``devrun.cli.options`` adds what each means, for the help.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Takes(Enum):
    """What stands behind an option."""

    NOTHING = "nothing"
    """It is a switch; ``--no-…`` and ``=false`` turn it off."""
    VALUE = "value"
    """One value, given once."""
    LIST = "list"
    """Values, one each time it is given; in a variable they are separated by blanks."""
    TEXTS = "texts"
    """The same, but a variable holds one of them, blanks and all."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One option.

    Attributes:
        field: The field of ``RunSettings`` that it sets.
        names: Its spellings, the long one that help shows first.
    """

    field: str
    names: tuple[str, ...]
    takes: Takes = Takes.VALUE

    @property
    def name(self) -> str:
        """The spelling for messages."""
        return self.names[0]

    @property
    def variable(self) -> str:
        """The variable that sets it."""
        return "DEVRUN_" + self.name[2:].replace("-", "_").upper()


def _flag(names: str, takes: Takes = Takes.VALUE, field: str | None = None) -> Flag:
    spelled = tuple(names.split())
    return Flag(field or spelled[0][2:].replace("-", "_"), spelled, takes)


_SWITCH, _LIST, _TEXTS = Takes.NOTHING, Takes.LIST, Takes.TEXTS

FLAGS = (
    # What to run
    _flag("--file -f --procfile", _LIST, "files"),
    _flag("--names -n"),
    _flag("--name-separator"),
    _flag("--max-processes -m"),
    _flag("--shell"),
    _flag("--passthrough-arguments -P", _SWITCH),
    _flag("--allow-empty", _SWITCH),
    _flag("--cwd", _TEXTS),
    _flag("--root"),
    _flag("--except", field="excepted"),
    _flag("--profile", _LIST, "profiles"),
    _flag("--formation"),
    _flag("--instance-names", _SWITCH),
    # Environment
    _flag("--env", _TEXTS),
    _flag("--env-file", _LIST, "env_files"),
    _flag("--env-override", _SWITCH),
    _flag("--no-env", _SWITCH),
    _flag("--port"),
    _flag("--port-step"),
    _flag("--formation-port-step"),
    _flag("--no-port", _SWITCH),
    # Ending and restarting
    _flag("--kill-others -k", _SWITCH),
    _flag("--kill-others-on-fail", _SWITCH),
    _flag("--can-die"),
    _flag("--success -s"),
    _flag("--kill-signal --ks"),
    _flag("--stop-signals"),
    _flag("--stop-timeout"),
    _flag("--kill-timeout"),
    _flag("--restart-tries"),
    _flag("--restart-after"),
    _flag("--auto-restart"),
    _flag("--teardown", _TEXTS),
    _flag("--teardown-timeout"),
    _flag("--exit-zero-on-interrupt", _SWITCH),
    # Watching
    _flag("--watch -w", _LIST),
    _flag("--watch-ignore", _LIST),
    _flag("--watch-poll", _SWITCH),
    # Input
    _flag("--handle-input -i", _SWITCH),
    _flag("--default-input-target"),
    _flag("--focus"),
    _flag("--keys", _SWITCH),
    # Output
    _flag("--prefix -p"),
    _flag("--prefix-colors -c"),
    _flag("--prefix-length -l"),
    _flag("--pad-prefix", _SWITCH),
    _flag("--timestamps", _SWITCH),
    _flag("--timestamp-format -t"),
    _flag("--raw -r", _SWITCH),
    _flag("--raw-only"),
    _flag("--hide"),
    _flag("--only"),
    _flag("--group -g", _SWITCH),
    _flag("--timings", _SWITCH),
    _flag("--tail"),
    _flag("--quiet -q", _SWITCH),
    _flag("--tty", _SWITCH),
    _flag("--color", _SWITCH),
    _flag("--log-format"),
    # General
    _flag("--name"),
    _flag("--prod", _SWITCH),
    _flag("--dry-run", _SWITCH),
)

_CONCURRENTLYS = frozenset(
    """
    max_processes names success raw color hide group timings shell passthrough_arguments teardown
    kill_others kill_others_on_fail kill_signal kill_timeout prefix prefix_colors prefix_length
    pad_prefix timestamp_format restart_tries restart_after handle_input default_input_target
    name_separator
    """.split()  # noqa: SIM905 - a list of words is read as words
)
"""The fields whose options concurrently 9 or 10 has."""

_HUMP = re.compile(r"(?<=[a-z])[A-Z]")


def kebab(name: str) -> str:
    """Return ``kill-others`` for ``killOthers``, as yargs reads it; other names as they are."""
    return _HUMP.sub(lambda letter: "-" + letter[0].lower(), name)


def variables() -> dict[str, Flag]:
    """Return the flag that each ``DEVRUN_*`` variable sets."""
    return {flag.variable: flag for flag in FLAGS}


def concurrently_flag(variable: str) -> Flag | None:
    """Return the flag that a ``CONCURRENTLY_*`` variable sets, or None.

    concurrently takes every spelling of an option there, in capitals, in camel case, and short
    ones: ``CONCURRENTLY_KILL_OTHERS``, ``CONCURRENTLY_killOthers``, ``CONCURRENTLY_K``.
    """
    rest = variable.removeprefix("CONCURRENTLY_")
    if rest == variable or not rest:
        return None
    long = "--" + kebab(rest if "_" not in rest else rest.lower()).replace("_", "-")
    spellings = {long, long.lower(), "-" + rest.lower()}
    for flag in FLAGS:
        if flag.field in _CONCURRENTLYS and not spellings.isdisjoint(flag.names):
            return flag
    return None


def is_option_variable(variable: str) -> bool:
    """Whether a variable sets an option of devrun's or concurrently's; services do not inherit it.

    Those of overmind and hivemind they do: their own tools read them too.
    """
    if variable.startswith("DEVRUN_"):
        return variable in variables()
    return variable.startswith("CONCURRENTLY_") and concurrently_flag(variable) is not None
