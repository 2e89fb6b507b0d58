"""How an app is stopped and restarted, when it is ready, and what it may use.

The numbers are PM2's. Where they differ in effect: a restart after a fast end is put off by 1, 10,
and from the third on 100 ms where PM2 does not wait at all; fast ends in a row are counted however
long ago the first start was; an app that is not ready in time has failed, and has a minute for it
where nothing is said, because PM2's three seconds are too short for a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from signal import SIGINT

from devrun.config import values
from devrun.config.ecosystem.app import App, is_number, js_text
from devrun.errors import UsageError
from devrun.model import ExitStatus, RestartPolicy, RestartWhen, StopPolicy, StopScope
from devrun.policies import IpcGate, ListenGate, MemoryLimit, Readiness

MAX_RESTARTS = 16
MIN_UPTIME = 1.0
KILL_TIMEOUT = 1.6
PM2_LISTEN_TIMEOUT = 3.0
"""Seconds, and PM2's (``lib/God.js``, ``constants.js``)."""

READY_TIMEOUT = 60.0
"""Seconds that an app with ``wait_ready`` has where nothing is said; devrun's own."""

_BACKOFF_FACTOR, _LONGEST_BACKOFF = 1.5, 15.0
_FLOOR, _FLOOR_FACTOR, _FLOOR_REACHED = 0.001, 10.0, 0.1


@dataclass(frozen=True, slots=True)
class Defaults:
    """What PM2 takes from its environment for all apps.

    Attributes:
        kill_timeout: Seconds.
        listen_timeout: Seconds, or None where nothing is said.
        kill_message: Apps are stopped by a message.
        instance_variable: What ``instance_var`` is for all, or None.
    """

    kill_signal: int = SIGINT
    kill_timeout: float = KILL_TIMEOUT
    listen_timeout: float | None = None
    kill_message: bool = False
    instance_variable: str | None = None


def defaults_of(environ: Mapping[str, str]) -> Defaults:
    """Return what the environment says.

    Raises:
        UsageError: A variable is not what it should be.
    """
    kill_timeout = _seconds(environ, "PM2_KILL_TIMEOUT")
    return Defaults(
        values.stop_signal(environ.get("PM2_KILL_SIGNAL") or "SIGINT", "PM2_KILL_SIGNAL"),
        KILL_TIMEOUT if kill_timeout is None else kill_timeout,
        _seconds(environ, "PM2_GRACEFUL_LISTEN_TIMEOUT"),
        bool(environ.get("PM2_KILL_USE_MESSAGE")),
        environ.get("PM2_PROCESS_INSTANCE_VAR") or None,
    )


def _seconds(environ: Mapping[str, str], name: str) -> float | None:
    text = environ.get(name)
    return values.duration(text, name, bare_unit="ms") if text else None


def stop_of(app: App, defaults: Defaults) -> StopPolicy:
    """Return how an app is stopped.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    timeout = app.seconds("kill_timeout")
    scope = StopScope.GROUP
    if not app.flag("treekill", default=True):
        scope = StopScope.MAIN
        app.warn(
            "treekill: false: the main process alone gets the signal; what it leaves is killed"
        )
    return StopPolicy(
        signal=defaults.kill_signal,
        interrupt=defaults.kill_signal,
        timeout=defaults.kill_timeout if timeout is None else timeout,
        message=app.flag("shutdown_with_message", default=defaults.kill_message),
        scope=scope,
    )


def restart_of(app: App) -> RestartPolicy:
    """Return when an app is restarted.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    endless = app.get("max_restarts") == inf  # max_restarts: Infinity
    tries = -1 if endless else app.count("max_restarts")
    min_uptime = app.seconds("min_uptime")
    calm = app.seconds("restart_delay") or 0.0
    backoff = app.seconds("exp_backoff_restart_delay") or 0.0
    delay, factor, cap = _FLOOR, _FLOOR_FACTOR, _FLOOR_REACHED
    if backoff:
        calm = backoff  # PM2, too, lets it go before restart_delay.
        delay, factor, cap = backoff, _BACKOFF_FACTOR, max(_LONGEST_BACKOFF, backoff)
    no_restart_on = frozenset(ExitStatus(code=code) for code in _exit_codes(app))
    if not app.flag("autorestart", default=True):
        return RestartPolicy(RestartWhen.NO)
    return RestartPolicy(
        RestartWhen.ALWAYS,
        tries=MAX_RESTARTS if tries is None else tries,
        delay=delay,
        factor=factor,
        cap=cap,
        min_uptime=MIN_UPTIME if min_uptime is None else min_uptime,
        calm_delay=calm,
        no_restart_on=no_restart_on,
    )


def _exit_codes(app: App) -> list[int]:
    given = app.get("stop_exit_codes")
    codes: list[int] = []
    for item in given if isinstance(given, list) else [] if given is None else [given]:
        is_plain = isinstance(item, int | float | str) and not isinstance(item, bool)
        text = js_text(item).strip() if is_plain else ""
        code = float(text) if is_number(text) else -1.0
        if not code.is_integer() or not 0 <= code <= 255:
            where = f'{app.place}: app "{app.name}": stop_exit_codes'
            raise UsageError(f'{where} "{js_text(item)}": not an exit code from 0 to 255')
        codes.append(int(code))
    return codes


def ready_of(app: App, defaults: Defaults, *, shares_ports: bool) -> Readiness | None:
    """Return when an app may be depended on; None: as soon as it runs.

    Args:
        shares_ports: It is in cluster mode, where PM2 waits until it listens.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    timeout = app.seconds("listen_timeout") or defaults.listen_timeout
    if app.flag("wait_ready", default=False):
        if timeout is None:
            app.warn(
                f'wait_ready: if "ready" does not come within {READY_TIMEOUT:g} s, the start has'
                f" failed, where PM2 goes on after {PM2_LISTEN_TIMEOUT:g} s; listen_timeout sets"
                " the time"
            )
        return Readiness(IpcGate(), timeout=timeout or READY_TIMEOUT)
    if shares_ports and timeout is not None:
        return Readiness(ListenGate(), timeout=timeout, continues=True)
    return None


def memory_of(app: App) -> MemoryLimit | None:
    """Return how much memory an app may use.

    Raises:
        UsageError: An attribute is not what it should be.
    """
    size = app.bytes("max_memory_restart")
    return None if size is None else MemoryLimit(size)
