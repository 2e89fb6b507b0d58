"""Run all the processes of a project together."""

__version__ = "0.1.0"
