"""Chunks in, sinks out: lines, prefixes, terminal hygiene, and the one writer.

Nothing here knows processes or decides about them. ``lines``, ``ansi``, ``prefix``, ``presenter``
and ``summary`` are pure; ``pump`` reads, ``journal`` writes.
"""
