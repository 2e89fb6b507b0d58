"""The operating system: how processes are started, signalled, followed and reaped.

Everything that differs between platforms lives in this package. It knows nothing of services,
projects' policies or output; it may import ``devrun.model`` and ``devrun.errors`` alone. This file
imports nothing, because the guardian runs before anything else is loaded.
"""
