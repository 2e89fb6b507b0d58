"""Layers of variables, each with the place it comes from; python-dotenv reads the files."""

from __future__ import annotations

import os
from dataclasses import replace
from unittest import mock

import pytest
from dotenv.main import DotEnv
from dotenv.parser import parse_stream
from hypothesis import example, given
from hypothesis import strategies as st

from devrun.appearance import ColorLevel, OutputSettings
from devrun.config.environment import (
    INHERITED,
    Variable,
    describe,
    layers,
    service_environment,
)
from devrun.config.flags import is_option_variable, variables
from devrun.errors import UsageError
from devrun.model import EnvironmentSettings, Project, Service


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Return a function that writes a file into the current folder and returns its path."""
    monkeypatch.chdir(tmp_path)

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def read(path, environ=None, **more):
    return layers(EnvironmentSettings(files=(path,), **more), environ or {})


def values(variables):
    return {name: variable.value for name, variable in variables.items()}


def refusal(path):
    with pytest.raises(UsageError) as caught:
        read(path)
    return str(caught.value)


def project(**more):
    return Project("/", "the command line", (), **more)


SERVICE = Service(0, "web", "x", "/")

# -- the dialect --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("  A = 1  ", "1"),
        ("export A=1", "1"),
        ("A=a b", "a b"),
        ("A=", ""),
        ("A=1 # c", "1"),
        ("A=1#c", "1#c"),
        ("A=#fff", "#fff"),
        ("A=# c", "# c"),
        ('A="1 # c" # d', "1 # c"),
        (r'A="a\nb"', "a\nb"),
        (r"A='a\nb'", r"a\nb"),
        ('A="l1\nl2"', "l1\nl2"),
        ("A=it's", "it's"),
        (r"A='it\'s'", "it's"),
        ('A={"a":"b c"}', '{"a":"b c"}'),
        ("A=a=b==", "a=b=="),
        ("A=$B", "$B"),
        ("A=${B}", "b"),
        ("A='${B}'", "b"),
        ("A=${U:-d}", "d"),
        ("A=${U}", ""),
        ("A=cost$5$(id)`id`", "cost$5$(id)`id`"),
        ("A=ü", "ü"),
    ],
)
def test_a_line_has_the_value_that_python_dotenv_gives_it(put, line, value):
    assert values(read(put(".env", f"B=b\n{line}\n")))["A"] == value


@pytest.mark.parametrize("name", ["A-B", "a.b", "ü", "9"])
def test_any_name_is_a_name(put, name):
    assert values(read(put(".env", f"{name}=1"))) == {name: "1"}


def test_a_byte_order_mark_and_cr_lf_are_left_out(put):
    path = put(".env", b'\xef\xbb\xbfA=1\r\nB="x\r\ny"\r\n\r\nC=3\r\n')
    assert read(path) == {
        "A": Variable("A", "1", ".env:1"),
        "B": Variable("B", "x\ny", ".env:2"),
        "C": Variable("C", "3", ".env:5"),
    }


def test_the_last_of_two_wins_and_is_the_origin(put):
    assert read(put(".env", "A=1\n\n\nA=2\n")) == {"A": Variable("A", "2", ".env:4")}


def test_a_file_is_named_as_seen_from_the_current_folder(put, tmp_path, monkeypatch):
    path = put(".env", "A=1")
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    assert read(path)["A"].origin == f"{path}:1"


def test_a_current_folder_that_is_gone_is_no_obstacle(put, tmp_path, monkeypatch):
    path = put(".env", "A=1")
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert read(path)["A"] == Variable("A", "1", f"{path}:1")


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("A=1\njunk\n", ".env:2: cannot be read as NAME=value; nothing of the file is used"),
        ("A\n", ".env:1: cannot be read as NAME=value;"),
        ("export A\n", ".env:1: cannot be read as NAME=value;"),
        ("\n\n# c\n\nA: 1\n", ".env:5: cannot be read as NAME=value;"),
        ("A='x\nB=1\n", ".env:1: cannot be read as NAME=value;"),
        ('A="a"b\n', ".env:1: cannot be read as NAME=value;"),
        ("a\nB=1\nb c\n", ".env:1: cannot be read as NAME=value (and line 3);"),
        ("a\r\n\r\nb\r\nc d\r\n", ".env:1: cannot be read as NAME=value (and lines 3, 4);"),
        ("A=1\n\nB=a\0b\n", ".env:3: a variable cannot hold that character"),
        ("'A=B'=1\n", ".env:1: a variable cannot hold that character"),
        (b"A=1\nB=\xff\n", ".env:2: not UTF-8"),
    ],
)
def test_a_broken_file_is_refused_with_its_lines(put, content, reason):
    assert refusal(put(".env", content)).startswith(reason)


def test_values_are_in_no_message(put):
    assert "hunter2" not in refusal(put(".env", "PASSWORD=hunter2\nSECRET hunter2\n"))


def test_a_missing_file_is_refused(put, tmp_path):
    assert refusal(str(tmp_path / "no.env")) == "no.env: no such file"
    assert refusal(str(tmp_path)) == ".: cannot be read: is a directory"
    os.symlink("nowhere", tmp_path / ".env")
    assert refusal(str(tmp_path / ".env")) == ".env: a link to nowhere, which does not exist"


def test_a_link_is_followed(put, tmp_path):
    put("real", "A=1")
    os.symlink("real", tmp_path / ".env")
    assert values(read(str(tmp_path / ".env"))) == {"A": "1"}


# -- layers -------------------------------------------------------------------------------------


def test_later_files_win_and_the_environment_beats_them_all(put):
    settings = EnvironmentSettings(
        put(".env", "A=root\nB=root\nC=root\nD=root"),
        (put("one", "B=one\nC=one\nD=one"), put("two", "C=two\nD=two")),
    )
    found = layers(settings, {"D": "outer"})
    assert {name: (v.value, v.origin) for name, v in found.items()} == {
        "A": ("root", ".env:1"),
        "B": ("one", "one:1"),
        "C": ("two", "two:1"),
        "D": ("outer", INHERITED),
    }
    turned = layers(replace(settings, override=True), {"D": "outer"})
    assert turned["D"] == Variable("D", "two", "two:2")


def test_replacement_sees_what_holds_where_the_line_stands(put):
    path = put(".env", "A=file\nB=${A}")
    assert values(read(path, {"A": "outer"}))["B"] == "outer"
    assert values(read(path, {"A": "outer"}, override=True))["B"] == "file"
    settings = EnvironmentSettings(path, (put("more", "C=${A}-${B}"),))
    assert values(layers(settings, {}))["C"] == "file-file"


def test_files_are_read_anew_each_time(put):
    settings = EnvironmentSettings(put(".env", "A=1"))
    assert values(layers(settings, {})) == {"A": "1"}
    put(".env", "A=2")
    assert values(layers(settings, {})) == {"A": "2"}


def test_options_of_devrun_are_not_inherited_and_its_marks_are():
    options = [*variables(), "CONCURRENTLY_K", "CONCURRENTLY_prefixColors"]
    environ = dict.fromkeys(options, "1") | {"DEVRUN_INSTANCE": "x", "A": "1"}
    assert values(layers(EnvironmentSettings(), environ)) == {"DEVRUN_INSTANCE": "x", "A": "1"}


@pytest.mark.parametrize("name", ["DEVRUN_KILL_OTHERS", "DEVRUN_FILE", "DEVRUN_ENV_FILE"])
def test_variables_are_named_like_their_options(name):
    assert is_option_variable(name)


# -- what a service gets ------------------------------------------------------------------------


def test_a_service_gets_its_own_variables_and_its_port_over_everything(put):
    settings = EnvironmentSettings(put(".env", "PORT=1\nA=file\nB=file"), override=True)
    service = replace(SERVICE, env=(("A", "own"), ("PORT", "2")), port=5100)
    found = service_environment(project(environment=settings), service, {"PORT": "3", "C": "c"})
    assert found == {"A": "own", "B": "file", "C": "c", "PORT": "5100", "PYTHONUNBUFFERED": "1"}


def test_without_an_assigned_port_the_inherited_one_stays():
    assert service_environment(project(), SERVICE, {"PORT": "3"})["PORT"] == "3"


@pytest.mark.parametrize("level", ColorLevel)
def test_children_are_told_of_colour_if_there_is_any(level):
    colored = project(output=OutputSettings(color=level))
    found = service_environment(colored, SERVICE, {})
    assert found.get("FORCE_COLOR") == (str(int(level)) if level else None)


@pytest.mark.parametrize("name", ["FORCE_COLOR", "NO_COLOR"])
def test_what_is_said_about_colour_stays(put, name):
    colored = project(
        output=OutputSettings(color=ColorLevel.TRUE),
        environment=EnvironmentSettings(put(".env", f"{name}=0")),
    )
    found = service_environment(colored, SERVICE, {})
    assert {key: found.get(key) for key in ("FORCE_COLOR", "NO_COLOR")} == {
        "FORCE_COLOR": None,
        "NO_COLOR": None,
        name: "0",
    }


def test_what_is_said_about_buffering_stays():
    assert not service_environment(project(), SERVICE, {"PYTHONUNBUFFERED": ""})["PYTHONUNBUFFERED"]


def test_a_description_says_where_each_comes_from(put):
    described = project(environment=EnvironmentSettings(put(".env", "Z=1\nA=2")))
    service = replace(SERVICE, env=(("B", "3"),), port=5000)
    assert describe(described, service, {"C": "4"}) == (
        Variable("A", "2", ".env:2"),
        Variable("B", "3", "service"),
        Variable("C", "4", INHERITED),
        Variable("PORT", "5000", "devrun"),
        Variable("PYTHONUNBUFFERED", "1", "devrun"),
        Variable("Z", "1", ".env:1"),
    )


# -- python-dotenv as oracle ----------------------------------------------------------------------

FRAGMENT = st.sampled_from(
    [
        *("A", "B", "OUTER", "=", " ", "\n", "\r\n", "\r", "#", "'", '"', "\\", "$", "{", "}"),
        *(":-", "${A}", "${OUTER}", "${OUTER:-d}", "export ", "x", "\\n", "\x0b", "\x85", "\0"),
        "\ufeff",
    ]
)
LINE = st.tuples(st.sampled_from(["A=", "B =", "export OUTER=", "\n\nA='"]), st.text()).map("".join)
CONTENT = (
    st.text()
    | st.lists(FRAGMENT, max_size=30).map("".join)
    | st.lists(LINE | st.lists(FRAGMENT).map("".join), max_size=6).map("\n".join)
)
OUTER = {"OUTER": "o", "HOME": "/h"}


@given(content=CONTENT, override=st.booleans())
@example("\x0b\nA=1\x0b\nB=2", False)
@example("A=1\r\rB", True)
def test_a_file_reads_as_python_dotenv_reads_it_or_not_at_all(tmp_path_factory, content, override):
    path = tmp_path_factory.getbasetemp() / "oracle.env"
    path.write_bytes(content.encode())
    with open(path, encoding="utf-8-sig") as file:
        bindings = list(parse_stream(file))
    readable = not any(
        b.error or (b.key and (b.value is None or "\0" in b.key + b.value or "=" in b.key))
        for b in bindings
    )
    settings = EnvironmentSettings(files=(str(path),), override=override)
    if not readable:
        with pytest.raises(UsageError, match=r"oracle\.env:\d+: [^\n]*\Z"):
            layers(settings, OUTER)
        return
    found = layers(settings, OUTER)
    with mock.patch.dict(os.environ, OUTER, clear=True):
        known = DotEnv(path, encoding="utf-8-sig", override=override).dict()
    expected = {**OUTER, **known} if override else {**known, **OUTER}
    assert values(found) == expected


@given(st.binary())
def test_any_bytes_are_variables_or_a_refusal_that_names_the_file(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.env"
    path.write_bytes(content)
    refusal = "bytes.env:"
    try:
        layers(EnvironmentSettings(str(path)), {})
    except UsageError as error:
        refusal = str(error)
    assert "bytes.env:" in refusal


NAME = st.from_regex(r"[A-Z][A-Z0-9_]*", fullmatch=True)
VALUE = st.text().filter(lambda text: "\0" not in text and "${" not in text and "\r" not in text)


@given(st.dictionaries(NAME, VALUE, min_size=1))
def test_quoted_values_read_the_same(tmp_path_factory, variables):
    quoted = {n: v.replace("\\", "\\\\").replace("'", "\\'") for n, v in variables.items()}
    path = tmp_path_factory.getbasetemp() / "quoted.env"
    path.write_bytes("".join(f"{n}='{v}'\n" for n, v in quoted.items()).encode())
    assert values(layers(EnvironmentSettings(str(path)), {})) == variables
