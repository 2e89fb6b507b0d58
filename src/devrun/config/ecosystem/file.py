"""An ecosystem file of any kind, read to plain values: JavaScript, TypeScript, JSON, YAML.

JSON is read as JSON5, since PM2 has JavaScript read it: comments, trailing commas and single quotes
are fine. YAML is read as js-yaml does: ``yes``, ``on``, ``22:22`` and dates are texts.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace

from devrun.config.ecosystem.app import Regex
from devrun.config.ecosystem.runtime import Exported, exported
from devrun.errors import UsageError

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from yaml import SafeLoader

SCRIPTS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts")
JSON = (".json", ".json5", ".jsonc")
YAML = (".yaml", ".yml")
_JSON5_ERROR = re.compile(r"<string>:(\d+) (.*)", re.DOTALL)
_MOST_DEEP = 50
"""Levels of lists in lists; a YAML alias may stand for what it is in."""


def looks_like_ecosystem(path: str) -> bool:
    """Whether a file's name is one that an ecosystem file has: no other file is JSON or YAML."""
    name = os.path.basename(path).lower()
    return name.endswith(SCRIPTS + JSON + YAML) and name != "package.json"


def read_file(path: str, *, cwd: str, environ: Mapping[str, str]) -> tuple[Exported, str]:
    """Return what a file says, and its text.

    Args:
        path: Relative to ``cwd``, or absolute.
        environ: The environment of a script.

    Raises:
        UsageError: It cannot be read, or is not what its name says.
    """
    where = os.path.abspath(os.path.join(cwd, path))
    text = _text(where, path)
    kind = os.path.splitext(path)[1].lower()
    if kind in SCRIPTS:
        found = exported(where, shown=path, environ=environ)
        return replace(found, value=_plain(found.value, path)), text
    if kind in JSON:
        return Exported(_plain(_json(text, path), path)), text
    if kind in YAML:
        return Exported(_plain(_yaml(text, path), path)), text
    message = f"{path}: not the name of an ecosystem file"
    raise UsageError(f"{message}; it ends in {', '.join((*SCRIPTS[:4], '.json', *YAML))}")


def _text(where: str, path: str) -> str:
    try:
        with open(where, "rb") as file:
            return file.read().decode("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise UsageError(f"{path}: is a folder; name the ecosystem file in it") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise UsageError(f"{path}:{line}: not UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from None


def _json(text: str, path: str) -> object:
    import json

    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass  # Mostly for a comment or a comma.
    except (RecursionError, ValueError):
        raise UsageError(f"{path}:1: not an ecosystem file: nested too deeply") from None
    import json5

    try:
        return json5.loads(text)
    except RecursionError:
        raise UsageError(f"{path}:1: not an ecosystem file: nested too deeply") from None
    except ValueError as error:
        found = _JSON5_ERROR.match(str(error))
        line, reason = (found[1], found[2]) if found else ("1", str(error))
        reason = reason.partition("\n")[0]
        message = f"{path}:{line}: no JSON: {reason[:1].lower()}{reason[1:]}"
        raise UsageError(f"{message}; a file with expressions is named .config.js") from None


def _yaml(text: str, path: str) -> object:
    import yaml

    try:
        return yaml.load(text, _yaml_loader())  # noqa: S506 - derived from the safe one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise UsageError(f"{path}:1: no YAML: {reason}") from None
    except RecursionError:
        raise UsageError(f"{path}:1: not an ecosystem file: nested too deeply") from None


_YAML_FLOAT = (
    r"[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|\.[0-9_]+(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_YAML_TYPES = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)", "-+0123456789"),
    "float": (_YAML_FLOAT, "-+0123456789."),
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "merge": (r"<<", "<"),
}
"""What plain words are values of these types, and how they begin (js-yaml 4, which PM2 has)."""


def _yaml_loader() -> type[SafeLoader]:
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads YAML 1.2, as js-yaml 4 does."""

        yaml_implicit_resolvers = {}  # noqa: RUF012 - replaces that of the base class

    for kind, (pattern, first) in _YAML_TYPES.items():
        tag = f"tag:yaml.org,2002:{kind}"
        Loader.add_implicit_resolver(tag, re.compile(f"(?:{pattern})\\Z"), list(first))
    Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: _integer(str(node.value)))
    return Loader


def _integer(text: str) -> int:
    text = text.replace("_", "")
    sign, digits = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    base = {"0b": 2, "0x": 16, "0o": 8}.get(digits[:2], 10)
    return sign * int(digits[2:] if base != 10 else digits, base)


def _plain(value: object, path: str, depth: int = 0) -> object:
    """Return a value made of what JSON has; keys are texts, and texts can be encoded."""
    if depth > _MOST_DEEP:
        raise UsageError(f"{path}:1: not an ecosystem file: nested too deeply")
    match value:
        case dict():
            return {_text_of(key): _plain(item, path, depth + 1) for key, item in value.items()}
        case list():
            return [_plain(item, path, depth + 1) for item in value]
        case None | bool() | int() | float() | Regex():
            return value
        case _:
            return _text_of(value)


def _text_of(value: object) -> str:
    """Return a text with U+FFFD for halves of pairs, which is what Node writes for them."""
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
