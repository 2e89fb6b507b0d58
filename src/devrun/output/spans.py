"""Spans of time in words."""

from __future__ import annotations


def humanized(seconds: float) -> str:
    """Return a span as people say it: ``850 ms``, ``12.4 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if round(seconds * 1000) < 1000:
        return f"{round(seconds * 1000)} ms"
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
