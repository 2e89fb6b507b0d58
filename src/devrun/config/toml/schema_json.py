"""The JSON Schema of devrun.toml, for editors; made from the structs that the reader uses.

msgspec makes it. What is changed: null, which TOML has not, is left out; and alternatives of
different kinds become one type with several names, because a validator says of ``anyOf`` only that
none of it fits, and of a type with the keywords of each kind what exactly is wrong. And wherever
something else than a text is wanted, a text with a variable does as well.
"""

from __future__ import annotations

import os

from devrun.config.toml.gates import GATES, SWITCHES, VARIABLE

SCHEMA_FILE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "schema", "devrun.schema.json"
)
"""The schema as it is shipped."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_Schema = dict[str, object]
_SERVICE = "ServiceTable"
_TYPES = {bool: "boolean", str: "string", int: "integer", float: "number"}


def schema_text() -> str:
    """Return the schema as JSON, made anew."""
    import json

    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> _Schema:
    """Return the schema."""
    from msgspec.json import schema as schema_of

    from devrun.config.toml.schema import ProjectTable

    whole: object = schema_of(ProjectTable)
    if not isinstance(whole, dict) or not isinstance(whole["$defs"], dict):
        raise TypeError(whole)
    definitions: dict[str, _Schema] = whole["$defs"]
    service = _changed(definitions[_SERVICE], definitions)
    project = _changed(definitions["ProjectTable"], definitions)
    properties = project["properties"]
    if not isinstance(properties, dict):
        raise TypeError(properties)
    # Twice the same, so that it stands apart; a text may stand for a service, not for the defaults.
    _take_one_gate(service)
    properties["services"]["additionalProperties"] = {"$ref": "#/$defs/service"}
    defaults = properties["defaults"]
    properties["defaults"] = {
        **{key: value for key, value in defaults.items() if key in {"description", "examples"}},
        "$ref": "#/$defs/service",
        "type": "object",
    }
    return {
        "$schema": DIALECT,
        "title": "devrun.toml",
        **project,
        "$defs": {"service": {**service, "type": ["string", "object"]}},
    }


def _changed(node: _Schema, definitions: dict[str, _Schema]) -> _Schema:
    """Return a schema with references replaced by what they stand for, and alternatives joined."""
    found: _Schema = {}
    for key, value in node.items():
        match key, value:
            case ("$ref", str()):
                found = _changed(definitions[value.rpartition("/")[2]], definitions) | found
            case ("anyOf", list()):
                found = _joined([_changed(each, definitions) for each in value]) | found
            case ("properties", dict()):
                found[key] = {
                    name: _varied(_changed(each, definitions)) for name, each in value.items()
                }
            case ("items" | "additionalProperties", dict()):
                found[key] = _varied(_changed(value, definitions))
            case ("required", []):
                pass
            case (("title" | "default"), _):
                pass  # The name of a class says nothing; None is no default.
            case ("enum", list()):
                found |= {key: value, "type": _TYPES[type(value[0])]}
            case _:
                found[key] = value
    return found


def _joined(choices: list[_Schema]) -> _Schema:
    """Return one schema for alternatives; their kinds differ, except that texts may have forms."""
    kept = [choice for choice in choices if choice.get("type") != "null"]
    if len(kept) == 1:
        only = kept[0]
        # The values of an enum say their type.
        return {key: value for key, value in only.items() if key != "type" or "enum" not in only}
    types: list[str] = []
    found: _Schema = {}
    for choice in kept:
        kind = choice["type"]
        types += [str(each) for each in kind] if isinstance(kind, list) else [str(kind)]
        enum = choice.get("enum")
        if isinstance(enum, list):
            # An enum would hold for the other kinds too; a pattern is for texts alone.
            found["pattern"] = f"^(?:{'|'.join(map(str, enum))})$|{VARIABLE}"
        found |= {
            key: value
            for key, value in choice.items()
            if key not in {"type", "enum", "description"}
        }
    return {"type": sorted(set(types), key=types.index), **found}


def _varied(node: _Schema) -> _Schema:
    """Return a schema that takes a text with a variable where no text is wanted, or one of some."""
    if "enum" in node:
        rest = {key: value for key, value in node.items() if key != "enum"}
        chosen = {"enum": node["enum"]}
        return {"type": "string", "if": {"pattern": VARIABLE}, "else": chosen, **rest}
    said = node.get("type")
    types = said if isinstance(said, list) else [said]
    if "string" in types or not {"boolean", "integer", "number"}.intersection(types):
        return node
    return {**node, "type": [*types, "string"], "pattern": VARIABLE}


def _take_one_gate(service: _Schema) -> None:
    """Refuse two gates of a service, or two probes."""
    properties = service["properties"]
    if not isinstance(properties, dict):
        raise TypeError(properties)
    for name in ("ready", "health"):
        table = properties[name]
        gates = [key for key in GATES if key in table["properties"]]
        plain = [key for key in gates if key not in SWITCHES]
        switched = sorted(SWITCHES.intersection(gates))
        off = {"properties": {key: {"not": {"const": True}} for key in switched}}
        table["dependentSchemas"] = {
            key: {"propertyNames": {"not": {"enum": [each for each in plain if each != key]}}} | off
            for key in plain
        }
        for key in switched:
            # It may also be said not to be.
            others = {other: {"not": {"const": True}} for other in switched if other != key}
            table["dependentSchemas"][key] = {
                "if": {"properties": {key: {"const": True}}},
                "then": {"properties": others},
            }
