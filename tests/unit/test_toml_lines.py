"""The line of every key: whatever a document looks like, it is the one where the key stands."""

from __future__ import annotations

import json
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from devrun.config.toml.lines import key_lines

DOCUMENT = '''\
# A comment with [brackets] and = signs
title = "a # b = [c]"  # not the end

[services.web]
command = """
multi = 1
[not.a.table]
"""
env = { A = "1", "B.C" = { d = [1, { e = 2 }] } }
stop.timeout = "10s"
list = [
  "one",  # with a comment ]
  { deep = true },
]
'literal key' = "it's"

[services]
other.command = "x"

[[points]]
x = 1
[points.inner]
y = 2
[[points]]
x = 3
'''


def test_each_kind_of_key_has_its_line():
    lines = key_lines(DOCUMENT)
    assert lines["title",] == 2
    assert lines["services", "web"] == 4
    assert lines["services", "web", "command"] == 5
    assert lines["services", "web", "env", "B.C", "d"] == 9
    assert lines["services", "web", "env", "B.C", "d", 1, "e"] == 9
    assert lines["services", "web", "stop", "timeout"] == 10
    assert lines["services", "web", "list", 0] == 12
    assert lines["services", "web", "list", 1, "deep"] == 13
    assert lines["services", "web", "literal key"] == 15
    assert lines["services",] == 17
    assert lines["services", "other", "command"] == 18
    assert lines["points", 0, "x"] == 21
    assert lines["points", 0, "inner", "y"] == 23
    assert lines["points", 1, "x"] == 25


def test_a_table_without_a_header_has_the_line_of_its_first_mention():
    assert key_lines("\n[a.b.c]\nx = 1\n[a.b.d]\n")["a", "b"] == 2


def test_windows_line_ends_count_once():
    assert key_lines("a = 1\r\n\r\nb = 2\r\n")["b",] == 3


# -- any document -------------------------------------------------------------------------------

OUTER = "outer"
NAMES = st.one_of(
    st.from_regex(r"[A-Za-z0-9_-]{1,6}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5),
    st.sampled_from(['"', "'", "a.b", "x = 1", "[t]", "#", "\\", "\n"]),
).filter(lambda name: name != OUTER)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=12)
BLANKS = st.sampled_from(["", "\n", "\n\n", "# [x] = 'y' \"\n", '   # """\n', "\t\n"])


def quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@st.composite
def key(draw, name: str) -> str:
    """A key in one of its spellings."""
    spellings = [quoted(name)]
    if name and all(c.isascii() and (c.isalnum() or c in "_-") for c in name):
        spellings.append(name)
    if "'" not in name and name.isprintable():
        spellings.append(f"'{name}'")
    return draw(st.sampled_from(spellings))


class Writer:
    """Writes a document and remembers where each key went."""

    def __init__(self, draw) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def put(self, text: str) -> None:
        self.text += text

    def here(self, path) -> None:
        self.lines[path] = self.text.count("\n") + 1

    def value(self, path, depth: int) -> None:
        kinds = ["text", "long", "literal", "number", "other"]
        kinds += ["list", "table"] if depth < 3 else []
        match self.draw(st.sampled_from(kinds)):
            case "text":
                self.put(quoted(self.draw(TEXTS)))
            case "long":
                escaped = quoted(self.draw(TEXTS))[1:-1].replace("\\n", "\n")
                # One or two quotes may stand before the end.
                self.put(f'"""{escaped}{self.draw(st.sampled_from(["", chr(34), chr(34) * 2]))}"""')
            case "literal":
                self.put(
                    self.draw(st.sampled_from(["'a\\'", "'''\n[x]\ny = \"1'''", "''''a'''''"]))
                )
            case "number":
                self.put(self.draw(st.sampled_from(["1", "-1.5e3", "0x1F", "1_000", "inf"])))
            case "other":
                self.put(self.draw(st.sampled_from(["true", "2024-01-01 10:00:00", "10:00:00"])))
            case "list":
                self.list(path, depth)
            case "table":
                self.table(path, depth)

    def list(self, path, depth: int) -> None:
        self.put("[")
        for place in range(self.draw(st.integers(0, 3))):
            self.put(self.draw(BLANKS))
            self.here((*path, place))
            self.value((*path, place), depth + 1)
            self.put(self.draw(BLANKS) + ",")
        self.put(self.draw(BLANKS) + "]")

    def table(self, path, depth: int) -> None:
        self.put("{")
        names = self.draw(st.lists(NAMES, unique=True, max_size=3))
        for place, name in enumerate(names):
            self.put(", " if place else " ")
            self.pair((*path, name), depth)
        self.put(" }")

    def pair(self, path, depth: int) -> None:
        """Write a key, sometimes a dotted one, and its value."""
        self.here(path)
        self.put(self.draw(key(path[-1])))
        if self.draw(st.booleans()):
            inside = self.draw(NAMES)
            self.put(self.draw(st.sampled_from([".", " . "])))
            path = (*path, inside)
            self.here(path)
            self.put(self.draw(key(inside)))
        self.put(self.draw(st.sampled_from(["=", " = "])))
        self.value(path, depth + 1)

    def document(self) -> None:
        names = self.draw(st.lists(NAMES, unique=True, max_size=6))
        kinds = [self.draw(st.sampled_from(["pair", "table", "array"])) for _ in names]
        for name, kind in sorted(
            zip(names, kinds, strict=True), key=lambda each: each[1] != "pair"
        ):
            self.put(self.draw(BLANKS))
            if kind == "pair":
                self.pair((name,), 0)
                self.put(" # end\n")
            else:
                self.section(name, is_array=kind == "array")

    def section(self, name: str, *, is_array: bool) -> None:
        outer = self.draw(st.sampled_from([(), (OUTER,)]))
        path = (*outer, name) if not is_array else (name,)
        for place in range(self.draw(st.integers(1, 2)) if is_array else 1):
            element = (*path, place) if is_array else path
            if outer and not is_array:
                self.lines.setdefault(outer, self.text.count("\n") + 1)
            self.here(element)
            self.lines.setdefault(path, self.text.count("\n") + 1)
            header = ".".join(self.draw(key(each)) for each in path)
            self.put(f"[[{header}]]\n" if is_array else f"[ {header} ]\n")
            for inside in self.draw(st.lists(NAMES, unique=True, max_size=3)):
                self.put(self.draw(BLANKS))
                self.pair((*element, inside), 0)
                self.put("\n")


@given(st.data())
def test_the_line_found_for_each_key_is_the_right_one(data):
    writer = Writer(data.draw)
    writer.document()
    assert key_lines(writer.text) == writer.lines


def paths(value, path=()):
    if isinstance(value, dict):
        for name, inside in value.items():
            yield (*path, name)
            yield from paths(inside, (*path, name))
    if isinstance(value, list):
        for place, inside in enumerate(value):
            yield (*path, place)
            yield from paths(inside, (*path, place))


@given(st.data())
def test_every_key_that_the_reader_of_toml_sees_has_a_line(data):
    writer = Writer(data.draw)
    writer.document()
    content = tomllib.loads(writer.text)
    assert set(key_lines(writer.text)) == set(paths(content))
