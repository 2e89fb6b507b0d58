"""Which values of a service may be secrets, because they are none of the project's files' own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from devrun.config.definitions import Format, format_of
from devrun.export.process_type import ProcessType

_NAMES = re.compile(r"\$(?:\$|\{([A-Za-z_][A-Za-z0-9_]*))", re.ASCII)
_HARMLESS = frozenset(("HOME", "HOSTNAME", "LANG", "LOGNAME", "PORT", "PWD", "SHELL", "USER"))
"""Variables of every environment, of which none is a secret."""

_LEAST = 6
"""Characters of a value below which finding it within another says nothing."""


class Origins:
    """Tells where values are from.

    Args:
        files: The project's files, as read.
        cwd: Absolute path of the project's folder.
        environ: The environment of whoever exports.
        public: Names of variables that are no secrets.
    """

    def __init__(
        self,
        files: Sequence[str],
        *,
        cwd: str,
        environ: Mapping[str, str],
        public: Sequence[str] = (),
    ) -> None:
        self._environ = environ
        self._open = _HARMLESS | frozenset(public)
        is_toml = bool(files) and format_of(files[0]) is Format.TOML
        self._texts = _toml_texts(files, cwd) if is_toml else None

    def may_be_secret(
        self, kind: ProcessType, name: str, value: str, secrets: Mapping[str, str]
    ) -> bool:
        """Whether the value of a service's own variable may be a secret.

        A TOML file shows which variables are put into it. An ecosystem file is a program: there
        the value itself has to tell.

        Args:
            secrets: Variables of the ``.env`` files that are not called public, with their values.
        """
        if not kind.declared:
            return False
        if self._texts is None:
            taken = any(len(each) >= _LEAST and each in value for each in secrets.values())
            given = bool(value) and name not in self._open and self._environ.get(name) == value
            return taken or given
        return self._mentions_secret(self._texts.get((kind.name, name), ""), secrets)

    def url_may_be_secret(self, kind: ProcessType, key: str, secrets: Mapping[str, str]) -> bool:
        """Whether the URL of a gate or a probe, ``ready`` or ``health``, may be one."""
        text = "" if self._texts is None else self._texts.get((kind.name, f"{key}.http"), "")
        return self._mentions_secret(text, secrets)

    def _mentions_secret(self, text: str, secrets: Mapping[str, str]) -> bool:
        mentioned = set(_NAMES.findall(text)) - {""} - self._open
        return any(name in secrets or name in self._environ for name in mentioned)


def _toml_texts(files: Sequence[str], cwd: str) -> dict[tuple[str, str], str]:
    """Return the variables and URLs of all services as written, by service and name."""
    from devrun.config.toml.merge import merged, with_defaults
    from devrun.config.toml.reader import read

    whole = merged([read(file, cwd) for file in files]).table or {}
    services = whole["services"].table if "services" in whole else None
    found: dict[tuple[str, str], str] = {}
    for name, said in (services or {}).items():
        own = with_defaults(whole.get("defaults"), said).table or {}
        variables = own["env"].table if "env" in own else None
        for key, each in (variables or {}).items():
            found[name, key] = str(each.value)
        for key in ("ready", "health"):
            asked = own[key].table if key in own else None
            if asked and "http" in asked:
                found[name, f"{key}.http"] = str(asked["http"].value)
    return found
