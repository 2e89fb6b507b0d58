"""Lines of services as ``devrun logs`` shows them: as the run does, or as JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence

from devrun.cli.control.choice import Services
from devrun.cli.control.line import Line
from devrun.cli.control.ps import has_color
from devrun.cli.control.saying import flush, put_bytes, put_json_line
from devrun.errors import ExitCode
from devrun.output.ansi import Hygiene, without_sequences
from devrun.output.complaint import complain

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without the 3 ms of importing typing
if TYPE_CHECKING:
    from devrun.appearance import ColorLevel


class Entry:
    """A line of the log, or what is told instead of one.

    Attributes:
        at: When it was written, in seconds since the epoch; 0 if that is not known.
        said: All of it.
    """

    __slots__ = ("at", "said")

    def __init__(self, at: float, said: Mapping[str, object]) -> None:
        self.at = at
        self.said = said


def entry_of(text: bytes) -> Entry:
    """Return what a line of the API's answer says."""
    said = json.loads(text)
    at = said.get("at") if isinstance(said, dict) else None
    return Entry(float(at) if isinstance(at, int | float) else 0.0, said)


class Printer:
    """Writes entries to stdout.

    Args:
        chosen: The runs that they are from.

    Attributes:
        code: The exit code, as far as the entries decide it.
        has_printed: There was an entry.
    """

    def __init__(self, line: Line, chosen: Sequence[Services]) -> None:
        self.code = ExitCode.OK
        self.has_printed = False
        self._as_json = line.as_json
        self._timestamps = line.has("timestamps")
        is_terminal = sys.stdout.isatty()
        self._colored = has_color(line, is_terminal=is_terminal)
        self._hygiene: dict[object, Hygiene] = {}
        self._prefixes = {} if self._as_json else _prefixes(line, chosen, self._colored)

    def print(self, entry: Entry) -> None:
        """Write an entry; what is missing is told beside the output."""
        said = entry.said
        self.has_printed = True
        if self._as_json:
            put_json_line(said)
        if "gap" in said:
            self._tell(
                f"{said['gap']} lines are missing here: they came faster than they were read"
            )
        elif "cut_off" in said:
            self._tell(f"cut off: {said['cut_off']}")
            self.code = ExitCode.FAILURE
        elif not self._as_json:
            put_bytes(self._rendered(entry))

    def flush(self) -> None:
        """Have what was written read."""
        flush()

    def _tell(self, text: str) -> None:
        flush()
        complain(text)

    def _rendered(self, entry: Entry) -> bytes:
        said = entry.said
        label = str(said.get("instance") or said.get("service") or "")
        text = str(said.get("line", "")).encode("utf-8", "surrogateescape")
        if self._colored:
            source = (label, said.get("generation"), said.get("stream"))
            hygiene = self._hygiene.setdefault(source, Hygiene())
            text = hygiene.clean(text + b"\n")
        else:
            text = without_sequences(text) + b"\n"
        prefix = self._prefixes.get(label)
        if prefix is None:
            prefix = f"[{label}] ".encode("utf-8", "surrogateescape")
        return self._stamp(entry.at) + prefix + text

    def _stamp(self, at: float) -> bytes:
        if not self._timestamps:
            return b""
        milliseconds = int(at * 1000 % 1000)
        form = "%Y-%m-%d %H:%M:%S"
        return f"{time.strftime(form, time.localtime(at))}.{milliseconds:03} ".encode()


def _prefixes(
    line: Line,
    chosen: Sequence[Services],
    colored: bool,  # noqa: FBT001
) -> dict[str, bytes]:
    """Return the prefix of each instance: the run's own, where it tells it."""
    labels = [label for services in chosen for label in services.labels]
    styles = _styles(line, labels) if colored else [("", "")] * len(labels)
    found = {
        label: f"{opening}[{label}]{closing} ".encode("utf-8", "surrogateescape")
        for label, (opening, closing) in zip(labels, styles, strict=True)
    }
    for services in chosen:
        own = services.said.get("prefixes")
        for label, said in own.items() if isinstance(own, dict) else ():
            opening, closing = (said["open"], said["close"]) if colored else ("", "")
            text = f"{opening}{said['text']}{closing} " if said["text"] else ""
            found[label] = text.encode("utf-8", "surrogateescape")
    return found


def _styles(line: Line, labels: Sequence[str]) -> list[tuple[str, str]]:
    from devrun.config.colors import automatic_styles

    names = [None if label.isdigit() else label for label in labels]
    return [(style.open, style.close) for style in automatic_styles(names, _level(line))]


def _level(line: Line) -> ColorLevel:
    from devrun.output.color_level import color_level

    return color_level(line.environ, is_terminal=sys.stdout.isatty(), choice=line.color)
