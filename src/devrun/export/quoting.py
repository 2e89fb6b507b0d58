"""Text as each format wants it: the filters of the templates."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from xml.sax.saxutils import escape

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def yaml_scalar(value: object) -> str:
    """Return a text, number or list as YAML 1.2 in flow style; texts are always quoted.

    JSON is YAML, but for characters that YAML calls unprintable (YAML 1.2.2, 5.1).
    """
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def systemd_word(text: str) -> str:
    r"""Return a text as one word of a unit's command line (systemd.syntax(7), systemd.service(5)).

    ``%`` begins a specifier and ``$`` a variable there; a backslash escapes as in C.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def systemd_path(text: str) -> str:
    """Return a path for ``WorkingDirectory=`` and its like, which take one path and no quotes."""
    return text.replace("%", "%%")


def supervisord_words(words: Sequence[str]) -> str:
    """Return an argument vector for ``command=`` of supervisord.

    supervisord splits with Python's ``shlex``, after ``%`` was expanded and all from a ``;`` or
    ``#`` behind a blank was cut off; quotes that end and begin again keep these apart.
    """
    quoted = [shlex.quote(word) for word in words]
    line = " ".join(re.sub(r"(?<=\s)(?=[;#])", "''", word) for word in quoted)
    return supervisord_text(line)


def supervisord_text(text: str) -> str:
    """Return a text for any other value of supervisord: ``%`` begins an expansion there."""
    return text.replace("%", "%%")


def xml_text(text: object) -> str:
    """Return a text for the inside of an XML element."""
    return escape(str(text))


def environment_value(text: str) -> str:
    """Return a value in double quotes that a POSIX shell and systemd read alike.

    Both take a backslash before these four characters away, and nothing else (POSIX, Shell Command
    Language, 2.2.3; ``EnvironmentFile=`` in systemd.exec(5)).
    """
    return '"' + re.sub(r'(["\\$`])', r"\\\1", text) + '"'


def comment(text: str) -> str:
    """Return a text that stays within one line of comment."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)


def xml_comment(text: str) -> str:
    """Return a text for the inside of an XML comment, where ``--`` may not stand."""
    return comment(text).replace("--", "- -")


FILTERS = {
    "yaml": yaml_scalar,
    "systemd": systemd_word,
    "systemd_path": systemd_path,
    "supervisord": supervisord_words,
    "supervisord_text": supervisord_text,
    "xml": xml_text,
    "sh": shlex.quote,
    "env": environment_value,
    "comment": comment,
    "xml_comment": xml_comment,
}
"""The names that templates have for these."""
