"""The outside world as requests: signals and file changes.

A source turns what happens outside into a value and hands it on; it never acts on a process.
"""
