"""Asking a service from outside whether it is ready, or still healthy."""
