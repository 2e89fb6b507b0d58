"""How several files become one, and how services inherit ``[defaults]``.

What comes later wins, key by key; tables are merged, everything else replaces what was there. Where
a key takes a table or something shorter, the shorter form is read as the table that it stands for,
so that ``log = "web.log"`` keeps the ``max_size`` of the defaults.
"""

from __future__ import annotations

from collections.abc import Sequence

from devrun.config.toml.reader import Said

_WHAT = frozenset("port http exec file status body log notify watchdog ipc delay".split())  # noqa: SIM905 - words
"""The keys of a probe of which a new one leaves none of the old."""

_MAIN_KEYS = {
    "watch": "paths",
    "log": "file",
    "max_memory": "size",
    "teardown": "commands",
}
"""What the short form of a table stands for."""


def merged(files: Sequence[Said]) -> Said:
    """Return what several files say together."""
    first, *others = files
    for other in others:
        first = _project(first, other)
    return first


def with_defaults(defaults: Said | None, service: Said) -> Said:
    """Return a service with what it inherits."""
    service = _as_service(service)
    return service if defaults is None else _service(defaults, service)


def _project(old: Said, new: Said) -> Said:
    before, after = old.table, new.table
    if before is None or after is None:
        return new
    both = dict(before)
    for key, said in after.items():
        both[key] = _project_key(key, before[key], said) if key in before else said
    return Said(both, old.place)


def _project_key(key: str, old: Said, new: Said) -> Said:
    if key == "defaults":
        return _service(old, new)
    if key != "services" or old.table is None or new.table is None:
        return _value(key, old, new)
    services = dict(old.table)
    for name, said in new.table.items():
        there = services.get(name)
        if there is not None:
            both = _service(_as_service(there), _as_service(said))
            said = Said(both.value, there.place)  # noqa: PLW2901 - the folder of the first holds
        services[name] = said
    return Said(services, old.place)


def _as_service(said: Said) -> Said:
    return Said({"command": said}, said.place) if isinstance(said.value, str) else said


def _service(old: Said, new: Said) -> Said:
    before, after = old.table, new.table
    if before is None or after is None:
        return new
    both = dict(before)
    for key, said in after.items():
        both[key] = _value(key, before[key], said) if key in before else said
    return Said(both, new.place)


def _value(key: str, old: Said, new: Said) -> Said:
    if key == "depends_on" and new.table is None:
        return new  # A list is complete.
    if old.table is not None or new.table is not None:
        old, new = _as_table(key, old), _as_table(key, new)
    if old.table is None or new.table is None:
        return new
    both = dict(old.table)
    if key in {"ready", "health"} and not _WHAT.isdisjoint(new.table):
        both = {name: said for name, said in both.items() if name not in _WHAT}
    for name, said in new.table.items():
        both[name] = _value(name, both[name], said) if name in both else said
    return Said(both, new.place)


def _as_table(key: str, said: Said) -> Said:
    value = said.value
    if said.table is not None or value is False:
        return said
    if key == "depends_on":
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            places = (said.place,) if isinstance(value, str) else said.elements
            inside = {name: Said({}, at) for name, at in zip(names, places, strict=True)}
            return Said(inside, said.place)
    if key in _MAIN_KEYS:
        return Said({_MAIN_KEYS[key]: said}, said.place)
    return said
