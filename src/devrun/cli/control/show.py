"""``devrun show NAME``: all that is known of a service."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from devrun.cli.control.choice import runs_with
from devrun.cli.control.dotted import leaves
from devrun.cli.control.line import Line
from devrun.cli.control.ps import columns, has_color
from devrun.cli.control.ps_table import how_it_ended, seconds_of, since_text, table
from devrun.cli.control.quantities import span
from devrun.cli.control.saying import VERSION, flush, put, put_json
from devrun.control.client import ask
from devrun.control.runs import Running
from devrun.errors import ExitCode
from devrun.output.complaint import escaped

Service = Mapping[str, object]


def show(line: Line) -> int:
    """Show each named service; return the exit code.

    Raises:
        NotRunning: Nothing runs here.
        UsageError: There is no such service.
    """
    colored = has_color(line, is_terminal=sys.stdout.isatty())
    found: list[Mapping[str, object]] = []
    for services, name in runs_with(line.with_words("devrun show web").place, line.words):
        said = _of_instance(ask(services.run, "GET", ("services", services.service_of(name))), name)
        if line.as_json:
            found.append(said)
            continue
        if found:
            put("")
        found.append(said)
        for text in _lines(services.run, said, colored=colored):
            put(text)
    if line.as_json:
        put_json({"version": VERSION, "services": found})
    flush()
    return ExitCode.OK


def _of_instance(said: Service, name: str) -> Service:
    """Return what is said of a service without what is another instance's, if one was named."""
    if said.get("name") == name:
        return said
    own = {
        key: [each for each in _listed(said, key) if name in (each.get("instance"), each.get(who))]
        for key, who in (("instances", "name"), ("exits", "instance"), ("probes", "instance"))
    }
    return {**said, **own}


def _lines(run: Running, said: Service, *, colored: bool) -> Iterator[str]:
    now = time.time()
    instances = _listed(said, "instances")
    yield escaped(f"{said.get('name')}: {run.source or 'devrun'} in {run.root} (pid {run.pid})")
    yield ""
    yield from table(instances, columns(), colored=colored, now=now) if instances else ()
    yield from _section("last exits", (_exit(each, now) for each in _listed(said, "exits")))
    yield from _section("probes", (_probe(each, now) for each in _listed(said, "probes")))
    config, origins, unread = said.get("config"), said.get("origins"), said.get("unread")
    if unread is not None:
        yield from ("", escaped(f"this is what runs; its files cannot be read now: {unread}"))
    if isinstance(config, dict):
        known = origins if isinstance(origins, dict) else {}
        yield from _section("configuration", _config(config, known))


def _listed(said: Service, key: str) -> Sequence[Mapping[str, object]]:
    found = said.get(key)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    found = [*lines]
    if found:
        yield from ("", f"{title}:", *(f"  {escaped(text)}" for text in found))


def _exit(said: Mapping[str, object], now: float) -> str:
    uptime = said.get("uptime")
    after = f" after {span(uptime)}" if isinstance(uptime, int | float) else ""
    why = "stopped" if said.get("stopped") else said.get("reason")
    return f"{_at(said, now)}{_who(said)}{how_it_ended(said)}{after}{f': {why}' if why else ''}"


def _probe(said: Mapping[str, object], now: float) -> str:
    state = "healthy" if said.get("healthy") else "unhealthy"
    reason = said.get("reason")
    return f"{_at(said, now)}{_who(said)}{state}{f': {reason}' if reason else ''}"


def _at(said: Mapping[str, object], now: float) -> str:
    at = seconds_of(said.get("at"))
    return "" if at is None else f"{since_text(at, now)}  "


def _who(said: Mapping[str, object]) -> str:
    who = said.get("instance") or said.get("name")
    return f"{who}  " if who else ""


def _config(config: Mapping[str, object], origins: Mapping[str, str]) -> Iterator[str]:
    """Yield ``key = value`` as a devrun.toml has it, and where the value is from.

    What nobody has said, and so is as always, comes last.
    """
    rows = [
        (f"{key} = {json.dumps(value, ensure_ascii=False)}", origins.get(key, ""))
        for key, value in leaves(config)
        if value is not None
    ]
    rows.sort(key=lambda row: row[1] == "default")
    width = min(48, max((len(text) for text, _ in rows), default=0))
    for text, origin in rows:
        yield f"{text:{width}}  # {origin}" if origin else text
