"""Who ends whom, and what a run amounts to: pure decisions over the ends of services."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from devrun.errors import ExitCode
from devrun.events import StopReason
from devrun.model import ExitStatus, KillOthers, Project, SuccessCondition, SuccessKind


@dataclass(frozen=True, slots=True)
class Ending:
    """The last exit of a service.

    Attributes:
        stopped: devrun ended it on purpose.
        at: When it happened; ends may become known in another order.
    """

    instance: int
    status: ExitStatus
    stopped: bool
    at: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether this counts as a failure: what devrun stopped on purpose does not."""
        return not self.status.ok and not self.stopped


@dataclass(frozen=True, slots=True)
class Verdict:
    """How devrun ends.

    Attributes:
        code: Its exit code.
        signal: The signal it dies of instead, or None.
    """

    code: int = ExitCode.OK
    signal: int | None = None

    @property
    def failed(self) -> bool:
        """Whether processes failed, as opposed to success or the user's own stop."""
        return self.signal is None and self.code != ExitCode.OK


def ends_others(policy: KillOthers, ending: Ending) -> bool:
    """Whether this end of a service is a reason to stop the others."""
    if ending.stopped:
        return False
    match policy:
        case KillOthers.NEVER:
            return False
        case KillOthers.ON_FAILURE:
            return ending.failed
        case KillOthers.ALWAYS:
            return True
        case _:
            assert_never(policy)


def verdict(
    project: Project,
    endings: Sequence[Ending],
    *,
    reason: StopReason | None,
    received: int | None,
) -> Verdict:
    """Return how devrun ends.

    Args:
        endings: The last exit of each service that ran; the earliest counts as the first.
        reason: Why the run was stopped, or None if all services came to their own ends.
        received: The signal that devrun received, if that was the reason.
    """
    endings = sorted(endings, key=lambda ending: ending.at)
    match reason:
        case StopReason.SIGNAL if received == signal.SIGINT and project.exit_zero_on_interrupt:
            failed = next((ending for ending in endings if ending.failed), None)
            return Verdict() if failed is None else Verdict(failed.status.shell_code)
        case StopReason.SIGNAL if received is not None:
            return Verdict(128 + received, received)
        case StopReason.READER_GONE:
            sigpipe = getattr(signal, "SIGPIPE", None)
            return Verdict(ExitCode.OK if sigpipe is None else 128 + sigpipe, sigpipe)
        case StopReason.GUARDIAN_GONE:
            return Verdict(128 + 9)
        case StopReason.SIGNAL | StopReason.OTHER_EXITED | StopReason.OUTPUT_FAILED | None:
            pass
        case _:
            assert_never(reason)
    if reason is StopReason.OUTPUT_FAILED:
        return Verdict(ExitCode.FAILURE)
    if project.success.kind is SuccessKind.COMMAND and not project.success.targets & {
        ending.instance for ending in endings
    }:
        return Verdict(ExitCode.FAILURE)  # It never ran.
    culprit = _culprit(project.success, endings)
    if culprit is None:
        return Verdict()
    # A command that the condition names but that never came to succeed of its own accord fails
    # the run even if it was stopped; the code is then that of the failure behind the stop.
    if culprit.stopped:
        culprit = next((ending for ending in endings if ending.failed), None)
        return Verdict(ExitCode.FAILURE if culprit is None else culprit.status.shell_code)
    return Verdict(culprit.status.shell_code)


def _culprit(success: SuccessCondition, endings: Sequence[Ending]) -> Ending | None:
    """Return the first ending that breaks the success condition, or None if it is met."""
    match success.kind:
        case SuccessKind.ALL:
            candidates = list(endings)
        case SuccessKind.FIRST:
            candidates = list(endings[:1])
        case SuccessKind.LAST:
            candidates = list(endings[-1:])
        case SuccessKind.COMMAND:
            named = [ending for ending in endings if ending.instance in success.targets]
            return next((ending for ending in named if not ending.status.ok), None)
        case SuccessKind.NOT_COMMAND:
            candidates = [e for e in endings if e.instance not in success.targets]
        case _:
            assert_never(success.kind)
    return next((ending for ending in candidates if ending.failed), None)
