"""What the API does with a run: start, stop, restart, reload, scale, signal, apply, wait, end."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import assert_never

import trio

from devrun.control.problems import Problem
from devrun.control.shapes import (
    Accepted,
    Applied,
    Apply,
    Change,
    Result,
    Results,
    Signalled,
    SignalResults,
    Waited,
    WaitFor,
)
from devrun.control.subject import Subject, has_failed
from devrun.errors import UsageError
from devrun.supervise import results
from devrun.supervise.dependencies import name_of
from devrun.supervise.standing import Word

Order = Callable[[Sequence[int]], Awaitable[list[results.Result]]]

_UP = (Word.RUNNING, Word.READY, Word.DEGRADED, Word.RELOADING)
_OVER = (Word.COMPLETED, Word.STOPPED, Word.FAILED, Word.SKIPPED)
_ENDED = (Word.COMPLETED, Word.FAILED, Word.STOPPED, Word.IDLE)


class Steering:
    """Carries out what the API is asked for."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    async def one(self, order: Order, name: str) -> Results:
        """Carry out an order for a service or an instance.

        Raises:
            NoSuchService: There is none.
            Problem: It was not carried out for all.
        """
        return self._results(await order(self._subject.orders.resolve(name)))

    async def some(self, order: Order, names: Sequence[str] | None) -> Results:
        """Carry out one order for several services or instances, or for everything.

        Raises:
            NoSuchService: There is none of a name; then nothing is done.
            Problem: It was not carried out for all.
        """
        known = self._subject.orders
        if names is None:
            return self._results(await order(known.all()))
        indices = dict.fromkeys(index for name in names for index in known.resolve(name))
        return self._results(await order([*indices]))

    async def scale(self, name: str, count: int) -> Results:
        """Have so many instances of a service.

        Raises:
            NoSuchService: There is none.
            Refused: It cannot have so many.
            Problem: It has them not.
        """
        return self._results(await self._subject.orders.scale(name, count))

    def signal(self, name: str, wanted: str | int) -> SignalResults:
        """Send a signal.

        Raises:
            NoSuchService: There is no such service.
            Problem: There is no such signal.
        """
        number = _number_of(wanted)
        sent = self._subject.orders.signal(self._subject.orders.resolve(name), number)
        return SignalResults(
            [
                Signalled(
                    self._subject.label(index),
                    pids[0] if pids else None,
                    pids,
                    None if pids else "does not run",
                )
                for index, pids in sent.items()
            ]
        )

    async def apply(self, asked: Apply) -> Applied:
        """Make the run what a command line says, or say how it would differ.

        Raises:
            Problem: That cannot be read, or was not carried out for all.
            Refused: The run is ending.
        """
        if self._subject.applying is None:
            raise Problem(409, "this run has no configuration that could be read again")
        try:
            found = await self._subject.applying.apply(
                asked.words,
                asked.folder,
                dry_run=asked.dry_run,
                others_stay=asked.others_stay,
                wait=asked.wait,
            )
        except UsageError as error:
            raise Problem(422, str(error)) from error
        applied = Applied(
            added=[*found.difference.added],
            removed=[*found.difference.removed],
            changed=[Change(label, [*names]) for label, names in found.difference.changed],
            results=self._said(found.results),
            later=[*found.later],
        )
        if has_failed(found.results):
            raise Problem(409, _what_failed(applied.results), **_fields(applied))
        return applied

    def shutdown(self, *, kill: bool) -> Accepted:
        """End the run."""
        self._subject.orders.shutdown(kill=kill)
        return Accepted()

    async def wait(self, names: Sequence[str], what: WaitFor, patience: float | None) -> Waited:
        """Wait until services are as wanted.

        Raises:
            NoSuchService: There is no such service.
            Problem: They will never be, or not in time.
        """
        known = self._subject.orders
        for name in names:
            known.resolve(name)
        with trio.move_on_after(inf if patience is None else patience):
            while True:
                every = [known.resolve(name) for name in names] or [known.all()]
                indices = [index for some in every for index in some]
                are_so = [self._is(index, what) for index in indices]  # Any may never be.
                if all(are_so):
                    said = {name_of(self._subject.services[index]): None for index in indices}
                    return Waited([*said], what.value)
                await self._subject.supervisor.news.changed()
        raise Problem(408, f"{_listed(names)} not {what.value} within {patience or 0:g} s")

    def _is(self, index: int, what: WaitFor) -> bool:
        standing = self._subject.supervisor.standing(index)
        state = self._subject.supervisor.members.tasks[index].state
        word = standing.word
        match what:
            case WaitFor.RUNNING:
                found = word in _UP
            case WaitFor.READY:
                found = word in _UP and state.ready
            case WaitFor.HEALTHY:
                has_check = self._subject.services[index].health is not None
                found = word in _UP and state.ready and (state.healthy is True or not has_check)
            case WaitFor.STOPPED:
                return word in _OVER or word is Word.IDLE
            case WaitFor.EXITED:
                if word is Word.SKIPPED:
                    raise Problem(409, f"{self._subject.label(index)} was skipped")
                return word in _ENDED
            case _:
                assert_never(what)
        if not found and (word in _OVER or self._subject.supervisor.is_stopping):
            reason = f" ({standing.reason})" if standing.reason else ""
            label = self._subject.label(index)
            raise Problem(409, f"{label} will not be {what.value}: {word.value}{reason}")
        return found

    def _results(self, results: Sequence[results.Result]) -> Results:
        said = self._said(results)
        if has_failed(results):
            raise Problem(409, _what_failed(said), results=said)
        return Results(said)

    def _said(self, results: Sequence[results.Result]) -> list[Result]:
        return [
            Result(self._subject.label(each.index), each.done.value, each.reason)
            for each in results
        ]


def _what_failed(results: Sequence[Result]) -> str:
    bad = [each for each in results if each.outcome in ("failed", "skipped")]
    return "; ".join(f"{each.name}: {each.reason or each.outcome}" for each in bad)


def _fields(applied: Applied) -> dict[str, object]:
    names = ("added", "removed", "changed", "results", "later")
    return {name: getattr(applied, name) for name in names}


def _listed(names: Sequence[str]) -> str:
    return (
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'}" if names else "some services are"
    )


def _number_of(wanted: str | int) -> int:
    """Return the number of a signal, by its number or its name."""
    try:
        if isinstance(wanted, int) or wanted.isdecimal():
            return signal.Signals(int(wanted))
        name = wanted.upper()
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"]
    except (KeyError, ValueError):
        from devrun.config.nearest import hint

        known = [each.name.removeprefix("SIG") for each in signal.Signals]
        raise Problem(422, f'there is no signal "{wanted}"{hint(str(wanted), known)}') from None
