"""Whether a connection on this machine has been accepted, or waits in a listening socket's queue.

A connection is there as soon as the kernel has put it into the queue; to whom connects that looks
as if somebody served it, though nobody may ever come.
"""

from __future__ import annotations

import sys

_ESTABLISHED = "01"
_RECEIVED = "03"
"""TCP_SYN_RECV: it waits for the first byte before it is in the queue (TCP_DEFER_ACCEPT)."""

if sys.platform == "linux":

    def is_accepted(port: int, source: int) -> bool:
        """Whether a connection to a port has been accepted, by the port that it comes from.

        What nobody has accepted has no inode in the tables of ``/proc/net``. What has been closed
        by who accepted it is in another state, or in no table any more.
        """
        here, there = f":{port:04X}", f":{source:04X}"
        for table in ("tcp", "tcp6"):
            try:
                with open(f"/proc/net/{table}", encoding="ascii") as file:
                    rows = file.readlines()
            except OSError:
                continue
            for row in rows:
                if here in row and there in row:
                    words = row.split()
                    if words[1].endswith(here) and words[2].endswith(there):
                        waits = words[3] in (_ESTABLISHED, _RECEIVED) and words[9] == "0"
                        return not waits
        return True

else:

    def is_accepted(port: int, source: int) -> bool:  # noqa: ARG001
        """Whether a connection has been accepted: only Linux tells, others say yes."""
        return True
