"""How a terminal takes what is typed (termios), and whose it is."""

from __future__ import annotations

import os
import sys

Attributes = list[int | list[bytes | int]]

if sys.platform != "win32":
    import termios

    _INPUT = (
        termios.BRKINT
        | termios.ICRNL
        | termios.INLCR
        | termios.IGNCR
        | termios.INPCK
        | termios.ISTRIP
        | termios.IXON
    )
    _LOCAL = termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN

    def attributes_of(descriptor: int) -> Attributes | None:
        """Return how a terminal is set, or None if it is none."""
        try:
            return list(termios.tcgetattr(descriptor))
        except termios.error:
            return None

    def make_raw(descriptor: int, former: Attributes, *, signals: bool, translates: bool) -> None:
        """Have each byte as it is typed, and nothing echoed; nothing if it has hung up.

        Args:
            former: How the terminal was set.
            signals: Ctrl+C, Ctrl+Z and their like remain signals.
            translates: What is written goes on being translated (LF to CR LF).
        """
        attributes = [*former]
        input_flags, output_flags, _, local_flags, *_ = attributes
        if not isinstance(input_flags, int) or not isinstance(output_flags, int):
            return
        if not isinstance(local_flags, int):
            return
        attributes[0] = input_flags & ~_INPUT
        attributes[1] = output_flags if translates else output_flags & ~termios.OPOST
        attributes[3] = local_flags & ~(_LOCAL if signals else _LOCAL | termios.ISIG)
        _set(descriptor, attributes)

    def restore(descriptor: int, former: Attributes) -> None:
        """Put a terminal back; nothing if it has hung up."""
        _set(descriptor, former)

    def _set(descriptor: int, attributes: Attributes) -> None:
        try:
            if os.tcgetpgrp(descriptor) != os.getpgrp():
                return  # It is another's by now, and touching it would stop us (SIGTTOU).
        except OSError:
            pass  # It does not control us: nobody minds.
        try:
            termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
        except termios.error:
            return

else:

    def attributes_of(_descriptor: int) -> Attributes | None:
        """Consoles have none."""
        return None

    def make_raw(descriptor: int, former: Attributes, *, signals: bool, translates: bool) -> None:
        """Do nothing."""

    def restore(descriptor: int, former: Attributes) -> None:
        """Do nothing."""
