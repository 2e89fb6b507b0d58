"""Text as each format wants it: the filters of the templates."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from xml.sax.saxutils import escape

from devrun.errors import UsageError

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9-]*")
_YAML_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOTHING = "%(program_name).0s"
"""What supervisord expands to the first 0 characters of a name."""


def yaml_scalar(value: object) -> str:
    """Return a text, number or list as YAML 1.2 in flow style; texts are always quoted.

    JSON is YAML, but for characters that YAML calls unprintable (YAML 1.2.2, 5.1). A byte that is
    no UTF-8 stays what it is: YAML has no way to write it.
    """
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def yaml_name(text: str) -> str:
    """Return a name of lower-case letters, digits and dashes, quoted where YAML needs it.

    It does for the words that YAML 1.1 takes for yes, no or nothing, and, for numbers and dates,
    wherever a digit goes first (yaml.org/type).
    """
    plain = _PLAIN_NAME.fullmatch(text) and text not in _YAML_WORDS
    return text if plain else yaml_scalar(text)


def systemd_word(text: str) -> str:
    r"""Return a text as one word of a unit's command line (systemd.syntax(7), systemd.service(5)).

    ``%`` begins a specifier and ``$`` a variable there; a backslash escapes as in C.
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    escaped = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped)
    return '"' + escaped.replace("%", "%%").replace("$", "$$") + '"'


def systemd_path(text: str) -> str:
    r"""Return a path for ``WorkingDirectory=`` and its like, which take one path and no quotes.

    Raises:
        UsageError: It has a line break, or ends in a blank or ``\``, which would be cut off.
    """
    if re.search(r"[\n\r]|[\s\\]\Z", text):
        raise UsageError(f"{text!r}: systemd cannot be told such a path; rename it")
    return systemd_text(text)


def systemd_text(text: str) -> str:
    """Return a text for any other value of a unit: ``%`` begins a specifier there."""
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
    """Return a text for any other value of supervisord: ``%`` begins an expansion there.

    Blanks at the end are cut off, and so is all from a ``;`` or ``#`` behind a blank, before
    anything is expanded; what expands to nothing keeps them. ``%(here)s`` is replaced before that,
    wherever it stands (supervisor 4.3, ``UnhosedConfigParser``).

    Raises:
        UsageError: It has a line break.
    """
    if "\n" in text or "\r" in text:
        raise UsageError(f"{text!r}: supervisord cannot be told such a path; rename it")
    doubled = text.replace("%", "%%").replace("%(here)s", f"%{_NOTHING}(here)s")
    kept = re.sub(r"(?<=\s)(?=[;#])", _NOTHING, doubled)
    return kept + _NOTHING if kept[-1:].isspace() else kept


def supervisord_log(text: str) -> str:
    """Return a path for ``stdout_logfile=``, which supervisord expands twice (4.3)."""
    return supervisord_text(text.replace("%", "%%"))


def printf_text(text: str) -> str:
    """Return a text for ``printf %b`` of a shell, as ASCII that no quotes and no file can spoil."""
    data = text.encode("utf-8", "surrogateescape")
    return re.sub(rb"[^ -~]|[\\\"'`$%;#]", lambda found: b"\\0%03o" % found[0][0], data).decode()


def printed_line(line: str) -> str:
    """Return a shell's line that is the same without a character that is none of a text file's.

    For what is read line by line, or as UTF-8.
    """
    if not re.search(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", line):
        return line
    return f"eval \"$(printf %b '{printf_text(line)}')\""


def xml_text(text: object) -> str:
    """Return a text for the inside of an XML element; a bare CR would be read as LF."""
    return escape(str(text), {"\r": "&#13;"})


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
    "yaml_name": yaml_name,
    "systemd": systemd_word,
    "systemd_path": systemd_path,
    "systemd_text": systemd_text,
    "supervisord": supervisord_words,
    "supervisord_text": supervisord_text,
    "supervisord_log": supervisord_log,
    "xml": xml_text,
    "sh": shlex.quote,
    "env": environment_value,
    "comment": comment,
    "xml_comment": xml_comment,
}
"""The names that templates have for these."""
