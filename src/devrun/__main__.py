"""``python -m devrun`` and the ``devrun`` script: guard first, then everything else."""

from __future__ import annotations

import sys


def main() -> None:
    """Run devrun and end the process with its exit code, or by the signal that ended the run.

    The order matters: signal handlers record from here on, then the guardian forks while the
    process is still small, and only then is anything imported that is not needed for that.
    """
    from devrun.process import guardian
    from devrun.sources.signals import SignalInbox

    inbox = SignalInbox()
    inbox.install()
    guarded_by = guardian.start(before_guarding=inbox.uninstall)

    from devrun.cli.entry import enter

    enter(sys.argv[1:], inbox=inbox, guardian=guarded_by)


if __name__ == "__main__":
    main()
