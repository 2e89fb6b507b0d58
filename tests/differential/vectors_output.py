"""Prefixes, colours, times, and what is shown of the output."""

from __future__ import annotations

from vector import ANY, EACH, failing, refused, vector

COLORED = {"FORCE_COLOR": "1"}
FINE = {"FORCE_COLOR": "3"}

PREFIXES = [
    vector("index", "-p", "index", "-n", "a", "echo 1"),
    vector("name", "-p", "name", "-n", "a", "echo 1"),
    vector("the name of one without", "-p", "name", "echo 1"),
    vector("command", "-p", "command", "echo 1"),
    vector("a long command", "-p", "command", "echo 1234567890"),
    vector("a length", "-p", "command", "-l", "5", "echo 1234567890"),
    vector("a length in full", "--prefix", "command", "--prefix-length", "6", "echo 1234567890"),
    vector("a length of 2", "-p", "command", "-l", "2", "echo 1234567890"),
    refused(
        "no length",
        "-p",
        "command",
        "-l",
        "0",
        "echo 1",
        error='--prefix-length "0"',
        differs="prefix-length",
    ),
    vector("none", "-p", "none", "echo 1"),
    vector("an empty one", "-p", "", "-n", "a", "echo 1"),
    vector("time", "-p", "time", "echo 1"),
    vector("a template", "-p", "<{index}-{name}>", "-n", "a", "echo 1"),
    vector("a template with the command", "-p", "{command}:", "echo 1"),
    vector("a template with the time", "-p", "{time} {name}", "-n", "a", "echo 1"),
    vector("braces around a placeholder", "-p", "{{index}}", "echo 1"),
    vector("a placeholder twice", "-p", "{index}{index}", "echo 1"),
    refused(
        "an unknown placeholder",
        "-p",
        "{nmae}",
        "echo 1",
        error='--prefix "{nmae}": no such placeholder {nmae}; did you mean "name"?',
        differs="unknown-placeholder",
    ),
    vector("padding", "--pad-prefix", "-n", "a,bbbb", "echo 1", "echo 2", order=EACH),
    vector("padding of indices", *["true"] * 11, "--pad-prefix", order=EACH),
    vector(
        "padding of a template",
        "--pad-prefix",
        "-p",
        "<{name}>",
        "-n",
        "a,bb",
        "true",
        "true",
        order=EACH,
    ),
    vector(
        "padding of wide names",
        "--pad-prefix",
        "-n",
        "日本,ab",
        "true",
        "true",
        order=ANY,
        differs="padding-width",
        lines="[日本] true exited with code 0\n[ab  ] true exited with code 0",
    ),
]


def _colored(item: str, level: dict[str, str] = COLORED, differs: str = "", **more):
    kind = f"at level {level['FORCE_COLOR']}"
    return vector(f"{kind}: {item}", "-c", item, "echo 1", env=level, differs=differs, **more)


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


_NAMES = "black red green yellow blue magenta cyan white gray grey"

COLORS = [
    *map(_colored, _NAMES.split()),
    *(_colored(f"{name}Bright") for name in _NAMES.split()[:8]),
    *(_colored(f"bg{name.capitalize()}") for name in _NAMES.split()[:8]),
    *(_colored(name) for name in ("bgRedBright", "bgGray", "bold.red", "bold.red.bgWhite")),
    *(
        _colored(name)
        for name in (
            "bold",
            "dim",
            "italic",
            "underline",
            "inverse",
            "hidden",
            "strikethrough",
            "overline",
            "reset",
            "dim.underline.cyanBright",
        )
    ),
    *(
        _colored(name, FINE)
        for name in (
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
        )
    ),
    vector(
        "colours for each", "-c", "red,blue", "echo 1", "echo 2", "echo 3", env=COLORED, order=EACH
    ),
    vector(
        "functions among colours", "-c", "rgb(1,2,3),red", "echo 1", "echo 2", env=FINE, order=EACH
    ),
    vector("auto", "-c", "auto", *["true"] * 7, env=COLORED, order=EACH),
    vector("auto behind others", "-c", "red,auto", *["true"] * 4, env=COLORED, order=EACH),
    vector("auto and what is named", "-c", "cyan,auto", *["true"] * 4, env=COLORED, order=EACH),
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
    vector(
        "{color}", "-p", "{color}{name}{/color}>", "-c", "red", "-n", "a", "echo 1", env=COLORED
    ),
    vector(
        "{color} to the end", "-p", "<{color}{name}>", "-c", "red", "-n", "a", "echo 1", env=COLORED
    ),
    vector("--no-color", "--no-color", "-c", "red", "echo [$FORCE_COLOR]", env={}),
    vector("colours in the environment", "echo [$FORCE_COLOR]", env=COLORED),
    vector("both colour variables", "-c", "red", "echo 1", env={"NO_COLOR": "1", **COLORED}),
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
        lines=(
            "\x1b[31m[0]\x1b[39m 1",
            "\x1b[31m[0]\x1b[39m \x1b[0mecho 1 exited with code 0\x1b[0m",
            "\x1b[0m-->\x1b[0m \x1b[0mSending SIGTERM to other processes..\x1b[0m",
            "\x1b[31m[1]\x1b[39m \x1b[0mexec sleep 30 exited with code SIGTERM\x1b[0m",
        ),
    ),
    _bad("nosuch", '"nosuch" is no colour'),
    _bad("red.nosuch", '"nosuch" is no colour'),
    _bad("rgb(1,2)", "rgb() takes three numbers"),
    _bad("#zz", '"#zz" is no colour'),
    _bad("", "a colour is missing"),
]


def _time(text: str, **more):
    words = ("-p", "{time}|", "-t", text, "echo 1")
    return vector(f"time {text}", *words, env={"TZ": "UTC", "LC_ALL": "en_US.UTF-8"}, **more)


TIMES = [
    _time("yyyy MM dd"),
    _time("EEEE d MMMM y G"),
    _time("YYYY ww W D F Q"),
    _time("'at' EEE"),
    _time("'it''s' yy"),
    _time("O ZZZZ B"),
    refused("an unknown token", "-t", "tt", "echo 1", error='--timestamp-format "tt": "t" is no'),
    refused(
        "an unknown length",
        "-t",
        "SSSS",
        "echo 1",
        error='--timestamp-format "SSSS": there is no "SSSS"',
    ),
]

OUTPUT = [
    vector("no line end", "printf a"),
    vector("empty lines", "printf '\\n\\na\\n\\n'"),
    vector("CR LF", "printf 'a\\r\\nb\\r\\n'"),
    vector("stderr", "echo 1 >&2; echo 2", order=ANY),
    vector("a tab and other characters", "printf 'a\\tb\\vc\\f\\n'"),
    vector("unicode", "printf 'ä日\\xf0\\x9f\\x98\\x80\\n'"),
    vector(
        "an ellipsis",
        "printf 'a\\342\\200\\246\\n'",
        differs="byte-exact",
        lines="[0] a…\n[0] printf 'a\\342\\200\\246\\n' exited with code 0",
    ),
    vector(
        "bytes that are no UTF-8",
        "printf 'a\\377b\\n'",
        differs="byte-exact",
        lines="[0] a\udcffb\n[0] printf 'a\\377b\\n' exited with code 0",
    ),
    vector(
        "a progress bar",
        "printf '1%%\\r2%%\\r3%%\\n'",
        differs="whole-lines",
        lines="[0] 3%\n[0] printf '1%%\\r2%%\\r3%%\\n' exited with code 0",
    ),
    vector("a long line", "head -c 30000 /dev/zero | tr '\\0' x; echo"),
    vector("raw", "-r", "echo 1; echo 2 >&2", error="2\n"),
    vector("raw in full", "--raw", "echo 1"),
    vector("raw and a failure", "-r", "echo 1; exit 1", code=1),
    vector("raw and its own lines", "-r", "--timings", "--teardown", "echo bye", "echo 1"),
    vector("hide by index", "--hide", "1", "echo 1", "echo 2", order=EACH),
    vector("hide by name", "--hide", "b", "-n", "a,b", "echo 1", "echo 2", order=EACH),
    vector("hide two", "--hide", "0,1", "echo 1", "echo 2", "echo 3", order=EACH),
    failing("hide a failure", "--hide", "0", "exit 5", "echo 1", code=5, order=EACH),
    vector("hide with raw", "--hide", "0", "-r", "echo 1", "echo 2"),
    refused("hide nobody", "--hide", "x", "echo 1", error='--hide: no service "x"'),
    vector(
        "group", "-g", "while [ ! -e done ]; do sleep .02; done; echo a1", "echo b1; touch done"
    ),
    vector("group in full", "--group", "echo 1", "echo 2", "echo 3"),
    vector(
        "group and what follows",
        "-g",
        "echo 1",
        "while [ ! -e no ] && [ $((i+=1)) -lt 9 ]; do sleep .02; done; echo 2",
    ),
    failing("group and a failure", "-g", "echo 1; exit 2", "echo 2", code=2),
    vector("timings", "--timings", "-n", "a", "echo 1"),
    failing("timings and a failure", "--timings", "echo 1; exit 2", code=2),
    vector("timings of two", "--timings", "echo 1", "sleep .4; echo 2", order=ANY),
    vector("timings in a format", "--timings", "-t", "'at all times' y", "echo 1"),
]

VECTORS = PREFIXES + COLORS + TIMES + OUTPUT
