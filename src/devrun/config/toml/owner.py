"""Whose values are being read, and how messages speak of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from devrun.config.toml.reader import Said

V = TypeVar("V")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Owner:
    """A service of a file, or the whole project.

    Attributes:
        name: The service's name; empty for the project.
        said: All that is said of it, what it inherits included.
        own: The keys that it says itself.
        environ: Variables by which programs are found.
    """

    name: str
    said: Said
    own: frozenset[str]
    environ: Mapping[str, str]

    def at(self, *path: str | int) -> str:
        """Return how a message about a key begins: file, line, service, key.

        A number is for an element of a list, which may have a line of its own.
        """
        service = f"services.{self.name}" if self.name else ""
        found, keys = self.said, list[str]()
        for key in path:
            if isinstance(key, str):
                if found.table is None:
                    continue  # A short form stands for the table.
                keys.append(key)
            found = found.at((key,))
        words = (str(found.place), service, ".".join(keys))
        return ": ".join(word for word in words if word)

    def folder(self, *path: str) -> str:
        """Return the folder that a path is relative to: that of the file it is written in."""
        return self.said.at(path).place.folder


def given(value: V | None, default: R, read: Callable[[V, str], R], place: str) -> R:
    """Return what a value means, or the default where nothing is said."""
    return default if value is None else read(value, place)
