"""``python -m devrun`` and the ``devrun`` script: guard first, then everything else."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run devrun and end the process with its exit code, or by the signal that ended the run.

    The order matters: signal handlers record from here on, then the guardian forks while the
    process is still small, and only then is anything imported that is not needed for that.
    """
    _open_standard_streams()
    if "_DEVRUN_COMPLETE" in os.environ:
        from devrun.cli.completion.enter import enter as complete

        complete(sys.argv[1:], os.environ)  # A shell asks at a Tab.
    if sys.argv[1:2] in (["exec"], ["run-one"]):
        from devrun.cli.execute import execute

        execute(sys.argv[1:], os.environ)  # Nothing is to stand between the user and the command.
    if sys.argv[1:2] == ["notify"]:
        from devrun.cli.notify import notify

        notify(sys.argv[2:], os.environ)
    from devrun.cli.subcommands import CONTROL_COMMANDS

    if sys.argv[1:2] and sys.argv[1] in CONTROL_COMMANDS:
        from devrun.cli.control.enter import enter as ask_a_running_devrun

        ask_a_running_devrun(sys.argv[1:], os.environ)  # There is nothing to be guarded.
    if sys.argv[1:2] == ["up"]:
        from devrun.cli.up import may_detach, up

        if may_detach(sys.argv[2:]):
            up(sys.argv[2:], os.environ)  # Returns if it is a run in the foreground.
    from devrun.process import guardian
    from devrun.sources.signals import SignalInbox

    inbox = SignalInbox()
    inbox.install()
    guarded_by = guardian.start(before_guarding=inbox.uninstall)

    from devrun.cli.entry import enter

    enter(sys.argv[1:], inbox=inbox, guardian=guarded_by)


def _open_standard_streams() -> None:
    """Open what was closed, or the next pipe would take its place and be taken for stdout."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    # Python has none where the descriptor was closed.
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115 - for ever
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
