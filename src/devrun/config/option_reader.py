"""Read options and words by a table of flags.

The grammar is concurrently's, which is that of yargs: options before, between and behind words;
``--flag=value``, ``--flag=false``, ``--no-flag``, ``--camelCase``, ``-kr``. What yargs lets pass
and then misunderstands is an error here: unknown options, which swallow a word there; an option
that stands twice; ``-k true``. Typer has no such grammar, and takes 50 ms to be imported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from devrun.config.flags import Flag, Takes, kebab
from devrun.config.settings import Value
from devrun.errors import UsageError

_YES = frozenset(("1", "true", "yes", "on"))
_NO = frozenset(("0", "false", "no", "off"))
_NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)


class Request(Enum):
    """What is asked for instead of a run."""

    HELP = "help"
    VERSION = "version"


_REQUESTS = {
    "-h": Request.HELP,
    "--help": Request.HELP,
    "-v": Request.VERSION,
    "-V": Request.VERSION,
    "--version": Request.VERSION,
}


class OptionReader:
    """Collects what one command line says.

    Args:
        flags: The options that there are.
        command: What messages call the command whose options they are.

    Attributes:
        values: What was said, by the flags' fields.
        words: The words that are no options, up to ``--``.
        behind: The words behind ``--``.
        places: How each value was said: the option as it was written, or a variable or file.
    """

    def __init__(self, flags: Sequence[Flag], command: str = "devrun") -> None:
        self._see = f"{command} --help lists all"
        self._by_name = {name: flag for flag in flags for name in flag.names}
        self.values: dict[str, Value] = {}
        self.words: list[str] = []
        self.behind: list[str] = []
        self.places: dict[str, str] = {}

    def read(self, words: Sequence[str], *, up_to_first_word: bool = False) -> Request | None:
        """Read the words; stop at one that asks for help or the version, and return that.

        Args:
            up_to_first_word: All that follows the first word that is no option is left alone.

        Raises:
            UsageError: An option is unknown, stands twice, or has no value or a wrong one.
        """
        rest = list(reversed(words))
        while rest:
            word = rest.pop()
            if word == "--":
                self.behind = rest[::-1]
                return None
            if word in _REQUESTS:
                return _REQUESTS[word]
            if word.startswith("--"):
                self._long(word, rest)
            elif word.startswith("-") and len(word) > 1:
                self._short(word, rest)
            else:
                self.words.append(word)
                if up_to_first_word:
                    self.behind = rest[::-1]
                    return None
        return None

    # -- the forms of an option -------------------------------------------------------------

    def _long(self, word: str, rest: list[str]) -> None:
        name, equals, value = word.partition("=")
        name = kebab(name)
        flag = self._by_name.get(name)
        if flag is None and name.startswith("--no-"):
            positive = self._by_name.get("--" + name[5:])
            if positive is not None and positive.takes is Takes.NOTHING:
                if equals:
                    raise UsageError(f"{word}: takes no value; write {name} or {positive.name}")
                self._refuse_truth(name, rest)
                self._set_switch(positive, name, on=False)
                return
        if flag is None:
            raise UsageError(f"no such option: {name}{self._hint(name)} ({self._see})")
        self._set(flag, name, value if equals else None, rest)

    def _short(self, word: str, rest: list[str]) -> None:
        """Read ``-kr``, ``-n a``, ``-na`` or ``-n=a``."""
        long = "-" + kebab(word.partition("=")[0])
        if long in self._by_name and len(long) > len("--ks"):
            raise UsageError(f"no such option: {long[1:]}; did you mean {long}? ({self._see})")
        for place in range(1, len(word)):
            name, behind = "-" + word[place], word[place + 1 :]
            flag = self._by_name.get(name)
            if flag is None:
                raise UsageError(f"no such option: {name} ({self._see})")
            if flag.takes is not Takes.NOTHING or behind.startswith("="):
                value = behind.removeprefix("=") if behind else None
                self._set(flag, name, value, rest)
                return
            self._set(flag, name, None, rest if not behind else [])

    def _hint(self, name: str) -> str:
        from devrun.config.nearest import hint

        return hint(name, (*(n for n in self._by_name if n.startswith("--")), *_REQUESTS))

    # -- values -----------------------------------------------------------------------------

    def _set(self, flag: Flag, name: str, value: str | None, rest: list[str]) -> None:
        self.places[flag.field] = name
        if flag.takes is Takes.NOTHING:
            if value is None:
                self._refuse_truth(name, rest)
            self._set_switch(flag, name, on=True if value is None else _truth(name, value))
            return
        if value is None:
            value = self._following(name, rest)
        if flag.takes is Takes.VALUE:
            if flag.field in self.values:
                raise UsageError(f"{flag.name} stands twice; leave one out")
            self.values[flag.field] = value
        else:
            self.values[flag.field] = (*self._listed(flag), value)

    def _listed(self, flag: Flag) -> tuple[str, ...]:
        former = self.values.get(flag.field)
        return former if isinstance(former, tuple) else ()

    def _following(self, name: str, rest: list[str]) -> str:
        """Take the next word as the value of an option, unless it is an option itself."""
        if not rest:
            raise UsageError(f"{name} needs a value ({self._see})")
        if self._is_option(rest[-1]):
            message = f"{name} needs a value, and {rest[-1]} is an option"
            raise UsageError(f"{message}; if it is meant, write {name}={rest[-1]}")
        return rest.pop()

    def _is_option(self, word: str) -> bool:
        if word == "--" or word in _REQUESTS:
            return True
        name = kebab(word.partition("=")[0])
        if name in self._by_name or (name.startswith("--no-") and "--" + name[5:] in self._by_name):
            return True
        letters = word[1:]
        return bool(
            word.startswith("-")
            and not _NUMBER.fullmatch(word)
            and letters.isalpha()
            and all(f"-{letter}" in self._by_name for letter in letters)
        )

    def _set_switch(self, flag: Flag, name: str, *, on: bool) -> None:
        former = self.values.get(flag.field)
        if former is not None and former is not on:
            raise UsageError(f"{name} contradicts another {flag.name}; leave one out")
        self.values[flag.field] = on

    def _refuse_truth(self, name: str, rest: Sequence[str]) -> None:
        """Refuse ``-k true``: concurrently takes it for a value, everyone else for a command."""
        if rest and rest[-1] in ("true", "false"):
            word = rest[-1]
            message = f"{name} {word}: write {name}={word} if that is meant"
            raise UsageError(f'{message}, or the command "{word}" before {name}')

    def take_variable(self, variable: str, flag: Flag, text: str) -> None:
        """Take the text of a variable as an option's value.

        Raises:
            UsageError: It is neither true nor false, for a switch.
        """
        self.places[flag.field] = variable
        if flag.takes is Takes.NOTHING:
            self.values[flag.field] = _truth(variable, text)
        elif flag.takes is Takes.VALUE:
            self.values[flag.field] = text
        elif flag.takes is Takes.LIST:
            self.values[flag.field] = tuple(text.split())
        else:
            self.values[flag.field] = (text,)


def _truth(name: str, text: str) -> bool:
    word = text.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise UsageError(f'{name}="{text}": neither true nor false; write 1, true, yes or on, or 0 …')
