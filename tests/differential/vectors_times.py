"""Formats of times: Unicode's date tokens."""

from __future__ import annotations

from vector import refused, vector

_TOKENS = {
    "years and months": "G GG GGG GGGG GGGGG|y yy yyy yyyy yyyyy|Y YY YYY YYYY YYYYY|U r"
    "|Q QQ QQQQQ|q qq qqqqq|M MM MMM MMMM MMMMM|L LL LLL LLLL LLLLL",
    "weeks and days": "w ww W l|d dd|D DD DDD|F|E EE EEE EEEE|eee eeee",
    "zones": "z zz zzz zzzz|ZZZZ|O OOOO|v vvvv",
}
_UNITED_STATES = "en_US.UTF-8"


def _time(name: str, text: str, zone: str = "UTC", locale: str = _UNITED_STATES, **more):
    words = ("-p", "{time}|", "-t", text, "true")
    env = {"TZ": zone, "LC_ALL": locale}
    return vector(f"time: {name}", *words, env=env, clock=True, **more)


def _bad(text: str, error: str):
    words = ("-t", text, "echo 1")
    return refused(f"time {text!r}", *words, error=f'--timestamp-format "{text}": {error}')


TIMES = [
    *(_time(name, text) for name, text in _TOKENS.items()),
    _time("east of Greenwich", _TOKENS["zones"], zone="Asia/Tokyo"),
    _time("west of Greenwich", _TOKENS["zones"], zone="America/New_York"),
    _time("in Germany", "yyyy MMMM EEEE ww", "Europe/Berlin", "de_DE.UTF-8"),
    _time("in no place", "yyyy MMM EEE ww W", locale="C"),
    _time("hours", "a aa aaa h hh H HH K KK k kk B BB BBB BBBB m mm"),
    _time("seconds", "s ss S SS SSS", varying=(r"^\d\d? \d\d \d \d\d \d{3}\|",)),
    _time("text", "'at all' yyyy ''yy'' 'it''s' 'yyyy'MM/dd.-_:;[]日"),
    vector("the default time", "-p", "time", "true"),
    vector("a time in full", "--timestamp-format", "yyyy", "-p", "time", "true"),
    vector("a time in camel case", "--timestampFormat=yyyy", "-p", "{time}", "true"),
    vector(
        "strftime",
        "-p",
        "{time}|",
        "-t",
        "%%|%%",
        "true",
        differs="strftime",
        lines="%|%| true exited with code 0",
    ),
    _bad("tt", '"t" is no'),
    _bad("SSSS", 'there is no "SSSS"'),
    _bad("Z", 'there is no "Z"'),
    _bad("x", '"x" is no'),
    _bad("'a", "the quote at 1 has no end"),
]

VECTORS = TIMES
