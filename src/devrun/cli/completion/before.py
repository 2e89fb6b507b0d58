"""What stands before the word that is completed: the command, its options, its words."""

from __future__ import annotations

from collections.abc import Sequence

from devrun.cli.overview import COMMANDS
from devrun.cli.subcommands import CONTROL_COMMANDS, EXEC_COMMANDS
from devrun.config.flags import FLAGS, Flag, Takes, kebab


def flags_of(command: str) -> Sequence[Flag]:
    """Return the options of a command."""
    if command in CONTROL_COMMANDS:
        from devrun.cli.control.options import TABLES

        return TABLES[command]
    match command:
        case "start":
            from devrun.config.start_line import START_FLAGS

            return START_FLAGS
        case "up":
            from devrun.config.up_line import UP_FLAGS

            return UP_FLAGS
        case "startup":
            from devrun.config.startup_line import STARTUP_FLAGS

            return STARTUP_FLAGS
        case "export":
            from devrun.config.export_line import EXPORT_FLAGS

            return EXPORT_FLAGS
        case "check":
            from devrun.cli.check.line import CHECK_FLAGS

            return CHECK_FLAGS
        case "exec" | "run-one":
            from devrun.config.exec_line import EXEC_FLAGS

            return EXEC_FLAGS
        case "init":
            return (Flag("source", ("--from",)), Flag("write", ("--write",), Takes.NOTHING))
        case "help" | "notify":
            return ()
        case _:
            return FLAGS


class Before:
    """A command line up to the word that is completed.

    Unlike what reads a whole line it takes everything: what is wrong is said when it is run.

    Attributes:
        command: The command, ``run`` if none is named.
        flags: Its options.
        said: What is no option, in order.
        values: What was said with options, by their fields.
        pending: The option whose value is to come.
        only_words: ``--`` stands there.
    """

    def __init__(self, words: Sequence[str]) -> None:
        named = bool(words) and words[0] in (*COMMANDS, *EXEC_COMMANDS)
        self.command = words[0] if named else "run"
        self.flags = flags_of(self.command)
        self.said: list[str] = []
        self.values: dict[str, list[str]] = {}
        self.pending: Flag | None = None
        self.only_words = False
        for word in words[1:] if named else words:
            self._take(word)

    def _take(self, word: str) -> None:
        if self.pending is not None:
            self.values.setdefault(self.pending.field, []).append(word)
            self.pending = None
        elif self.only_words or not word.startswith("-") or word == "-":
            self.said.append(word)
        elif word == "--":
            self.only_words = True
        else:
            name, equals, value = word.partition("=")
            flag = self.flag(name)
            if flag is not None and equals:
                self.values.setdefault(flag.field, []).append(value)
            elif flag is not None and flag.takes is Takes.NOTHING:
                self.values[flag.field] = [""]
            else:
                self.pending = flag

    def flag(self, name: str) -> Flag | None:
        """Return the option that is spelled so."""
        name = kebab(name)
        return next((flag for flag in self.flags if name in flag.names), None)
