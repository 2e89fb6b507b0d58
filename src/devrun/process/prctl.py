"""The two process attributes that keep descendants in sight (Linux, ``prctl(2)``)."""

from __future__ import annotations

import ctypes
import os

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    """Have orphaned descendants become children of this process, not of PID 1.

    The attribute is not inherited by a fork, so each process that wants it asks for itself.

    Raises:
        OSError: The kernel is older than 3.4.
    """
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def signal_on_parent_death(number: int) -> None:
    """Have this process receive signal ``number`` when the thread that forked it ends.

    The caller checks ``os.getppid()`` afterwards: the parent may have gone before.
    """
    _prctl(PR_SET_PDEATHSIG, number)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_ulong(0)
    if libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
