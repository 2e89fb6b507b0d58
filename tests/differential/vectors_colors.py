"""Colours of prefixes."""

from __future__ import annotations

from vector import EACH, refused, vector

LEVELS = {level: {"FORCE_COLOR": str(level)} for level in (1, 2, 3)}
COLORED = LEVELS[1]

_NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_GRAYS = ("gray", "grey", "bgGray", "bgGrey")
_MODIFIERS = [
    "bold",
    "dim",
    "italic",
    "underline",
    "inverse",
    "hidden",
    "strikethrough",
    "overline",
    "reset",
    "bold.red",
    "bold.red.bgWhite",
    "dim.underline.cyanBright",
    "reset.red",
    "red.red",
    "strikethrough.bgCyanBright",
]
_FUNCTIONS = [
    "#ff8800",
    "#f80",
    "bg#ff8800",
    "bold.#ff8800",
    "hex(#ff8800)",
    "bgHex(#ff8800)",
    "rgb(1,2,3)",
    "bgRgb(1,2,3)",
    "ansi256(99)",
    "bgAnsi256(99)",
    "rgb(255,0,0).bold",
    "#fff.bg#000",
    "bgRgb(10,200,30).underline",
]


def _each(name: str, items: list[str] | tuple[str, ...], level: int):
    """Return a vector with a command for each colour."""
    words = "-c", ",".join(items), *["true"] * len(items)
    return vector(f"{name} at level {level}", *words, env=LEVELS[level], order=EACH)


def _line(index: int, opens: str, closes: str, text: str = "true exited with code 0") -> str:
    return f"\x1b[{opens}m[{index}]\x1b[{closes}m \x1b[0m{text}\x1b[0m"


def _lines(*colors: str):
    """Return the lines of commands that end well, with foregrounds of these codes."""
    return tuple(_line(index, color, "39") for index, color in enumerate(colors))


def _bad(item: str, error: str):
    return refused(
        f"colour {item!r}",
        "-c",
        item,
        "echo 1",
        env=COLORED,
        differs="colour-errors",
        error=f'--prefix-colors "{item}": {error}',
    )


GRAMMAR = [
    *(_each("names", _NAMES, level) for level in (1, 3)),
    _each("bright names and grays", [*(f"{name}Bright" for name in _NAMES), *_GRAYS], 1),
    _each("backgrounds", [f"bg{name.capitalize()}" for name in _NAMES], 1),
    _each("bright backgrounds", [f"bg{name.capitalize()}Bright" for name in _NAMES], 1),
    _each("modifiers", _MODIFIERS, 1),
    _each("functions", _FUNCTIONS, 3),
    _each("what is exact", ["ansi256(99)", "bgAnsi256(7)", "#fff", "rgb(255,0,0)"], 2),
    _each("what is exact", ["bg#000", "#fff.bold", "rgb(0,0,0)"], 1),
    vector(
        "256 colours of millions",
        "-c",
        "#f80,bg#abc",
        "true",
        "true",
        env=LEVELS[2],
        order=EACH,
        differs="colour-depth",
        lines=(_line(0, "38;5;208", "39"), _line(1, "48;5;146", "49")),
    ),
    vector(
        "16 colours of millions",
        "-c",
        "#f80,ansi256(100)",
        "true",
        "true",
        env=COLORED,
        order=EACH,
        differs="colour-depth",
        lines=_lines("33", "33"),
    ),
    vector("blanks around colours", "-c", " red , blue", "true", "true", env=COLORED, order=EACH),
    vector("prefix colours in full", "--prefix-colors", "red", "echo 1", env=COLORED),
    _bad("nosuch", '"nosuch" is no colour'),
    _bad("Red", '"Red" is no colour; did you mean "red"?'),
    _bad("red.nosuch", '"nosuch" is no colour'),
    _bad("rgb(300,0,0)", "rgb() takes three numbers"),
    _bad("#zz", '"#zz" is no colour'),
    _bad("hex", '"hex" is no colour; did you mean "hex()"?'),
    _bad("", "a colour is missing"),
]

CHOICE = [
    vector(
        "colours for each", "-c", "red,blue", "echo 1", "echo 2", "echo 3", env=COLORED, order=EACH
    ),
    vector("auto", "-c", "auto", *["true"] * 7, env=COLORED, order=EACH),
    vector("auto behind others", "-c", "red,auto", *["true"] * 4, env=COLORED, order=EACH),
    vector("auto and what is named", "-c", "cyan,auto", *["true"] * 4, env=COLORED, order=EACH),
    vector("auto between others", "-c", "red,auto,blue", *["true"] * 5, env=COLORED, order=EACH),
    vector("auto before another", "-c", "auto,red", *["true"] * 4, env=COLORED, order=EACH),
    vector("auto with names", "-c", "auto", "-n", "a,b", "true", "true", env=COLORED, order=EACH),
    vector(
        "auto behind what is named with more",
        "-c",
        "bold.cyan,auto",
        *["true"] * 6,
        env=COLORED,
        order=EACH,
        differs="auto-colours",
        lines=(
            "\x1b[1m" + _line(0, "36", "39").replace("\x1b[39m", "\x1b[39m\x1b[22m"),
            *_lines("", "35", "32", "33", "34", "35")[1:],
        ),
    ),
    vector("no colours are said, nor names", *["true"] * 6, env=COLORED, order=EACH),
    vector(
        "no colours are said, but a name",
        "-n",
        "a",
        "true",
        env=COLORED,
        differs="stable-colours",
        lines="\x1b[32m[a]\x1b[39m \x1b[0mtrue exited with code 0\x1b[0m",
    ),
]

PARTS = [
    vector(
        "{color}", "-p", "{color}{name}{/color}>", "-c", "red", "-n", "a", "echo 1", env=COLORED
    ),
    vector(
        "{color} to the end", "-p", "<{color}{name}>", "-c", "red", "-n", "a", "echo 1", env=COLORED
    ),
    vector(
        "{color} twice",
        "-p",
        "{color}{name}{/color} {color}{index}{/color}",
        "-c",
        "bold.red",
        "-n",
        "a",
        "true",
        env=COLORED,
    ),
    vector("{color} without colours", "-p", "{color}{name}{/color}>", "-n", "a", "echo 1"),
    vector(
        "{color} and padding",
        "--pad-prefix",
        "-p",
        "{color}{name}{/color}|",
        "-c",
        "red",
        "-n",
        "a,bcd",
        "true",
        "true",
        env=COLORED,
        order=EACH,
    ),
    vector(
        "colour and padding",
        *["--pad-prefix", "-n", "a,bcd", "-c", "red", "true", "true"],
        env=COLORED,
        order=EACH,
    ),
    vector(
        "a coloured restart",
        *("-c", "red", "--restart-tries", "1", "[ -e x ] || >x false"),
        env=COLORED,
    ),
    vector("coloured timings", "-c", "red", "--timings", "echo 1", env=COLORED),
    vector("a coloured teardown", "-c", "red", "--teardown", "echo x", "echo 1", env=COLORED),
    vector("no prefix to colour", "-c", "red", "-p", "none", "echo 1", env=COLORED),
    vector("a child's colours", "printf '\\033[32mgreen\\033[0m\\n'", env=COLORED),
    vector(
        "a global line",
        "-k",
        "-c",
        "red",
        "echo 1",
        "exec sleep 30",
        env=COLORED,
        order=EACH,
        differs="stopped-is-no-failure",
    ),
]

WHETHER = [
    vector("--no-color", "--no-color", "-c", "red", "echo [$FORCE_COLOR]"),
    vector("no level", "-c", "red", "echo [$FORCE_COLOR]", env={"FORCE_COLOR": "0"}),
    vector("a level that is true", "-c", "red", "echo 1", env={"FORCE_COLOR": "true"}),
    vector("both colour variables", "-c", "red", "echo 1", env={"NO_COLOR": "1", **COLORED}),
    vector("a pipe has none", "-c", "red", "echo 1", env={"TERM": "xterm", "CI": "1"}),
    vector(
        "--no-color against FORCE_COLOR",
        "--no-color",
        "-c",
        "red",
        "echo 1",
        env=COLORED,
        differs="colour-variables",
        lines="[0] 1\n[0] echo 1 exited with code 0",
    ),
    vector(
        "CLICOLOR_FORCE",
        "-c",
        "red",
        "true",
        env={"CLICOLOR_FORCE": "1"},
        differs="colour-variables",
        lines=_lines("31"),
    ),
]

VECTORS = GRAMMAR + CHOICE + PARTS + WHETHER
