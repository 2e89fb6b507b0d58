"""How a service of a TOML file is stopped, and whether it starts again."""

from __future__ import annotations

from devrun.config import values
from devrun.config.toml.owner import Owner, given
from devrun.config.toml.schema import ServiceTable
from devrun.config.toml.tables import BackoffTable, StopTable
from devrun.config.toml.values import exit_status, restart_limit, seconds, share, uptime, whole
from devrun.errors import UsageError
from devrun.model import ExitStatus, KillOthers, RestartPolicy, RestartWhen, StopPolicy, StopScope

SUPERVISED = RestartPolicy(
    RestartWhen.ON_FAILURE,
    tries=16,
    delay=0.1,
    factor=2.0,
    cap=30.0,
    jitter=0.2,
    min_uptime=1.0,
)
"""What holds for a service that is restarted at all, unless it says otherwise."""

ENDINGS = {
    "ignore": KillOthers.NEVER,
    "stop": KillOthers.ALWAYS,
    "stop-on-failure": KillOthers.ON_FAILURE,
}
"""What ``on_exit`` may be."""

_MANY = 10**9


def restart_policy(table: ServiceTable, owner: Owner) -> RestartPolicy:
    """Return whether and when a service starts again.

    Raises:
        UsageError: A value is wrong.
    """
    when = RestartWhen(table.restart or "no")
    restart_on = _ends(table.restart_on, "restart_on", owner)
    base = restart_base(when, restarts=bool(restart_on))
    never = _ends(table.no_restart_on, "no_restart_on", owner)
    both = sorted(map(str, restart_on & never))
    if both:
        raise UsageError(f"{owner.at('no_restart_on')}: {both[0]} is in restart_on too")
    tries = base.tries
    if table.max_restarts is not None:
        tries = whole(table.max_restarts, owner.at("max_restarts"), least=-1, most=_MANY)
    delay, factor, cap, jitter = _backoff(table.backoff or BackoffTable(), base, owner)
    return RestartPolicy(
        when,
        tries=tries,
        delay=delay,
        factor=factor,
        cap=cap,
        jitter=jitter,
        min_uptime=given(table.min_uptime, base.min_uptime, uptime, owner.at("min_uptime")),
        calm_delay=given(table.restart_delay, base.calm_delay, seconds, owner.at("restart_delay")),
        restart_on=restart_on,
        no_restart_on=never,
        window=given(table.restart_limit, None, restart_limit, owner.at("restart_limit")),
    )


def _ends(said: list[int | str] | None, key: str, owner: Owner) -> frozenset[ExitStatus]:
    listed = enumerate(said or ())
    return frozenset(exit_status(each, owner.at(key, number)) for number, each in listed)


def restart_base(when: RestartWhen, *, restarts: bool) -> RestartPolicy:
    """Return the policy of a service that says nothing of its numbers.

    Args:
        restarts: Some ends are followed by a restart whatever ``when`` says.
    """
    return RestartPolicy() if when is RestartWhen.NO and not restarts else SUPERVISED


def _backoff(
    table: BackoffTable, base: RestartPolicy, owner: Owner
) -> tuple[float, float, float, float]:
    delay = given(table.initial, base.delay, seconds, owner.at("backoff", "initial"))
    cap = given(table.max, max(base.cap, delay), seconds, owner.at("backoff", "max"))
    if cap < delay:
        raise UsageError(f'{owner.at("backoff", "max")} "{table.max}": is less than initial')
    factor, jitter = base.factor, base.jitter
    if table.factor is not None:
        factor = share(table.factor, owner.at("backoff", "factor"), least=1, most=100)
    if table.jitter is not None:
        jitter = share(table.jitter, owner.at("backoff", "jitter"), least=0, most=1)
    return delay, factor, cap, jitter


def stop_policy(table: StopTable | None, owner: Owner) -> StopPolicy:
    """Return how a service is stopped; its own signal holds for Ctrl+C too.

    Raises:
        UsageError: A value is wrong.
    """
    default = StopPolicy()
    if table is None:
        return default
    number = given(table.signal, default.signal, values.stop_signal, owner.at("stop", "signal"))
    interrupt = number if table.signal is not None else default.interrupt
    command = table.command
    if command is not None and not command.strip():
        raise UsageError(f"{owner.at('stop', 'command')}: the command is empty")
    return StopPolicy(
        signal=number,
        interrupt=given(
            table.interrupt, interrupt, values.stop_signal, owner.at("stop", "interrupt")
        ),
        timeout=given(table.timeout, default.timeout, seconds, owner.at("stop", "timeout")),
        command=command,
        message=bool(table.message),
        scope=StopScope(table.scope or default.scope.value),
    )
