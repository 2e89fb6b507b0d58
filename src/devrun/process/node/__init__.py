"""Node programs: the channel of ``process.send``, and servers that share a socket unmodified."""
