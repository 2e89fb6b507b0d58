"""Every devrun.toml that the documentation shows can be read, and examples marked so are run.

A comment before an example says what it shows: ``<!-- run: shows "a", "b" -->`` until it is
interrupted, after which ``; then "c"`` comes; or ``<!-- run: ends with 1, shows "a" -->``. Blocks
whose first line names a file (```` ```js server.js ````) belong to the examples of their section.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devrun.cli.subcommands import CONTROL_COMMANDS
from devrun.config.ecosystem.project import read_ecosystem
from devrun.config.toml.ending import SUPERVISED
from devrun.config.toml.project import read_project
from devrun.config.toml.reference import BEGIN, END, reference, with_reference
from devrun.supervise.restarting import delay_before

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGURATION = ROOT / "docs/configuration.md"

BLOCK = re.compile(
    r"(?:<!-- run: (?P<said>[^\n]+) -->\n)?```(?P<info>[^\n]*)\n(?P<text>.*?)```", re.DOTALL
)
PORT = re.compile(r"(?:port = |localhost:|127\.0\.0\.1:)(\d{4,5})\b")


@dataclass(frozen=True)
class Example:
    """A devrun.toml of the documentation.

    Attributes:
        said: What running it shows, as the page has it; None if it is only read.
        files: The other files of its section, by name.
    """

    text: str
    said: str | None
    files: dict[str, str]


def examples():
    for page in PAGES:
        for section in re.split(r"^(?=#)", page.read_text(), flags=re.MULTILINE):
            blocks = [*BLOCK.finditer(section)]
            named = {block["info"].partition(" ")[2]: block["text"] for block in blocks}
            files = {name: text for name, text in named.items() if name}
            title = section.partition("\n")[0].strip("# ")
            for block in blocks:
                if block["info"] == "toml":
                    example = Example(block["text"], block["said"], files)
                    yield pytest.param(
                        example, id=f"{page.name}: {title}: {_first_key(block['text'])}"
                    )


def _first_key(text):
    return text.partition("\n")[0].strip("[]")


ALL = [*examples()]
RUN = [example for example in ALL if example.values[0].said is not None]


def test_there_are_examples():
    assert len(ALL) > 20
    assert len(RUN) > 10


@pytest.mark.parametrize("example", ALL)
def test_an_example_can_be_read(tmp_path, example):
    (tmp_path / "devrun.toml").write_text(example.text)
    found = read_project(["devrun.toml"], cwd=str(tmp_path), environ={"PATH": os.defpath})
    assert found.services
    assert not found.warnings


def with_free_ports(texts):
    """Put free ports in the place of those in the examples, the same one for each."""
    found = sorted({port for text in texts.values() for port in PORT.findall(text)})
    with ExitStack() as stack:
        free = {}
        for port in found:
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            free[port] = str(listener.getsockname()[1])
    if not found:
        return texts
    either = re.compile(rf"\b({'|'.join(found)})\b")
    return {name: either.sub(lambda m: free[m[0]], text) for name, text in texts.items()}


@pytest.fixture
def path(tmp_path):
    """Return a PATH on which there is devrun."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "devrun"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m devrun "$@"\n')
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.parametrize("example", RUN)
def test_an_example_does_what_the_page_says(devrun, tmp_path, path, example):
    texts = with_free_ports({**example.files, "devrun.toml": example.text, "": example.said})
    said = texts.pop("")
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    run = devrun(env_added={"PATH": path})
    shown, _, behind = said.partition("; then ")
    run.wait_for(*re.findall(r'"([^"]+)"', shown))
    ending = re.match(r"ends with (\d+), ", shown)
    if ending is None:
        run.signal(signal.SIGINT)
        run.wait_for(*re.findall(r'"([^"]+)"', behind))
    assert run.wait() == (-signal.SIGINT if ending is None else int(ending[1])), run.text


# -- command lines ------------------------------------------------------------------------------

PROJECT = """
[services]
db = "sleep 1"
web = { command = "sleep 1", depends_on = ["db"] }
worker = { command = "sleep 1", depends_on = ["db"] }
mail = { command = "sleep 1", profiles = ["full", "mail"] }
"""


def command_lines():
    for page in PAGES:
        if page.name == "control.md":  # Those are run beside a devrun.
            continue
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), re.DOTALL):
            for line in re.findall(r"^\$ devrun(.*)", block, re.MULTILINE):
                yield pytest.param(line, id=f"{page.name}: devrun{line[:50]}")


@pytest.mark.parametrize("line", [*command_lines()])
def test_a_command_line_is_understood(devrun, tmp_path, line):
    """Those that speak to a devrun which runs say that there is none."""
    (tmp_path / "devrun.toml").write_text(PROJECT)
    (tmp_path / "devrun.local.toml").write_text("[services.web]\nenv = { A = 1 }\n")
    app = "{ name: 'web', script: 'sleep', args: '1' }"
    (tmp_path / "ecosystem.config.js").write_text(f"module.exports = [{app}]")
    words = shlex.split(line, comments=True)
    if words and words[0] in CONTROL_COMMANDS:
        run = devrun(*words, env_added={"XDG_STATE_HOME": str(tmp_path)})
        assert run.wait() == (0 if words[0] in ("stop", "down") else 1), run.text
        assert "no devrun" in run.text
        return
    if words[:1] == ["startup"]:
        run = devrun(*words, "--print")
        assert run.wait() == 0, run.text
        assert "devrun" in run.text
        return
    run = devrun(*words, *([] if words[:1] == ["check"] else ["--dry-run"]))
    assert run.wait() == 0, run.text
    assert "services" in run.text


# -- the page about configuration ---------------------------------------------------------------


def test_the_reference_is_that_of_the_schema():
    """``make docs`` makes it anew."""
    page = CONFIGURATION.read_text()
    assert with_reference(page) == page
    assert f"{BEGIN}\n\n{reference()}\n\n{END}" in page


def test_a_page_without_a_place_for_it_is_refused():
    with pytest.raises(ValueError, match="no <!-- reference"):
        with_reference("# A page\n")


def reference_rows():
    """Yield the path of a table, one of its keys, and an example of it, as the page has them."""
    for section in reference().split("### ")[1:]:
        found = re.match(r"(?:A service: )?`\[(.+?)\]`", section)
        path = found[1].replace("NAME", "web").replace("OTHER", "db") if found else ""
        for row in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE):
            key, _, _, shown = re.split(r" (?<!\\)\| ?", row)
            for example in re.findall(r"`([^`]+)`", shown):
                yield pytest.param(path, key.strip("`"), example, id=f"{path}.{key}: {example}")


MAIN_KEYS = {
    "services.web.ready": 'http = "http://localhost"',
    "services.web.health": 'http = "http://localhost"',
    "services.web.log": 'file = "web.log"',
    "services.web.max_memory": 'size = "1G"',
    "teardown": 'commands = "true"',
}
"""What the keys of a table stand beside, unless they are such a key themselves."""

ALONE = {"port", "http", "exec", "file", "log", "notify", "ipc", "delay", "size", "commands"}
SERVICES = """
[services.db]
command = "true"
ready = { notify = true }
health = { port = 5432 }
[services.migrate]
command = "true"
"""


@pytest.mark.parametrize(("path", "key", "example"), [*reference_rows()])
def test_the_examples_of_the_reference_are_right(tmp_path, path, key, example):
    line = f"{key} = {example}\n"
    around = "notify = true" if key == "watchdog" else MAIN_KEYS.get(path, "")
    inside = line if key in ALONE else f"{around}\n{line}"
    own = "" if (path, key) == ("services.web", "command") else 'command = "true"\n'
    web = f"[services.web]\n{own}"
    if not path:
        text = line if key == "services" else f"{line}{web}{SERVICES}"
    elif path == "services.web":
        text = f"{web}{line}{SERVICES}[groups.backend]\n"
    else:
        text = f"{web}[{path}]\n{inside}{SERVICES}"
    (tmp_path / "devrun.toml").write_text(text)
    environ = {"PATH": os.environ["PATH"]}
    assert read_project(["devrun.toml"], cwd=str(tmp_path), environ=environ).services


def test_the_table_of_waits_is_the_arithmetic_of_restarts():
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) s \|", CONFIGURATION.read_text(), re.MULTILINE)
    assert len(rows) >= 10
    for retry, seconds in rows:
        assert delay_before(SUPERVISED, int(retry)) == pytest.approx(float(seconds))


# -- the page about PM2 -------------------------------------------------------------------------


def test_the_two_files_of_the_page_about_pm2_say_the_same(tmp_path):
    (tmp_path / "server.js").touch()
    (example,) = (each.values[0] for each in ALL if each.id.startswith("from-pm2.md"))
    for name, text in {**example.files, "devrun.toml": example.text}.items():
        (tmp_path / name).write_text(text)
    around = {"cwd": str(tmp_path), "environ": {"PATH": os.environ["PATH"]}}
    theirs = read_ecosystem("ecosystem.config.js", **around, env_name=None)
    ours = read_project(["devrun.toml"], **around)
    (old,), (new,) = theirs.services, ours.services
    assert theirs.instances == ours.instances
    assert old.argv == ("node", str(tmp_path / "server.js"))
    assert old.env == (*new.env, ("NODE_APP_INSTANCE", "0"))
    assert new == replace(old, command=new.command, argv=new.argv, env=new.env)
