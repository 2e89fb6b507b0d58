"""The commands that ask a running devrun: ``ps``, ``logs``, ``restart`` and their like.

They are read and answered without Typer, without a guardian, and as far as it goes without anything
that takes time to import: scripts and prompts call them again and again. Typer has their help and
their completion (``control_help``).
"""
