"""What goes over the WebSocket of ``/v1/instances/{name}/attach``, beside the bytes themselves.

What is here keeps its name and its meaning within ``/v1``; more may come.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from devrun.control.shapes import CutOff, Gap

PATH = "/v1/instances/{name}/attach"

Side = Annotated[int, Meta(ge=1, le=65535)]


class AttachQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The client's terminal, if it has one: both, or neither."""

    rows: Side | None = None
    columns: Side | None = None


class Resize(Struct, frozen=True, forbid_unknown_fields=True):
    """What a client says in a text: its terminal has so many rows and columns now."""

    resize: tuple[Side, Side]


class TerminalGeneration(Struct, frozen=True):
    """At first, and whenever a generation begins."""

    generation: int
    running: bool
    state: str
    typing: Annotated[str | None, Meta(description="why it cannot be typed at; null if it can")]


class TerminalExit(Struct, frozen=True):
    """A generation has ended; how, in words, and as a shell's exit code."""

    exit: str
    code: int
    stopped: bool
    final: Annotated[bool, Meta(description="whether there will be no other by itself")]


SAID = (TerminalGeneration, TerminalExit, Gap, CutOff)
"""What devrun says in texts."""

ABOUT = (
    "A WebSocket. Binary messages are what the terminal shows, and what is typed. Texts are JSON:"
    " of the client Resize; of devrun TerminalGeneration at first and whenever a generation begins,"
    " TerminalExit when one has ended, Gap for so many bytes that the client was too slow for, and"
    " CutOff before a client is left that takes nothing. devrun closes with 1001 at the end of the"
    " run, with 1007 or 1008 after a text that is no JSON or says something else, and with 1009"
    " after a message that is too long."
)
