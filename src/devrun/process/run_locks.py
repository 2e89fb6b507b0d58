"""Locks on the private folders of runs: who lives, and one at a time (flock(2))."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

if sys.platform != "win32":
    import fcntl

    def is_held(folder: str) -> bool:
        """Whether the run whose private folder this is lives."""
        try:
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def take_turn(folder: str) -> int:
        """Wait until nobody else has a folder's turn, and take it.

        Returns:
            A descriptor. It is no program's that is started; the turn is over when this process,
            and each that was forked from it, has closed it or ended.
        """
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return descriptor

    @contextmanager
    def one_at_a_time(bases: Iterable[str]) -> Iterator[None]:
        """Keep other runs of this user from doing the same at the same time.

        Args:
            bases: Folders that hold the private folders of runs.
        """
        with ExitStack() as turns:
            for base in sorted({*bases}):  # In one order, or two could wait for each other.
                turns.callback(os.close, take_turn(base))
            yield

else:

    def is_held(folder: str) -> bool:
        """There are none."""
        raise NotImplementedError(folder)

    def take_turn(folder: str) -> int:
        """There are none."""
        raise NotImplementedError(folder)

    @contextmanager
    def one_at_a_time(bases: Iterable[str]) -> Iterator[None]:
        """There are none."""
        raise NotImplementedError(bases)
        yield
