"""Every command line that the documentation shows is one that devrun understands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from devrun.cli.completion.before import flags_of
from devrun.cli.overview import COMMANDS
from devrun.cli.subcommands import COMPLETION_OPTIONS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def command_lines():
    for page in PAGES:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                if line.startswith("devrun"):
                    yield pytest.param(line, id=f"{page.name}: {line[:50]}")


@pytest.fixture
def folder(tmp_path):
    for name in ("Procfile", "Procfile.dev"):
        (tmp_path / name).write_text("web: sleep 1\nworker: sleep 1\n")
    (tmp_path / "Procfile.more").write_text("more: sleep 1\n")
    for name in (".env", ".env.local"):
        (tmp_path / name).touch()
    apps = [{"name": name, "script": "sleep", "args": "1"} for name in ("web", "worker")]
    for app in apps:
        app["env_production"] = {"NODE_ENV": "production"}
    (tmp_path / "ecosystem.config.js").write_text(f"module.exports = {json.dumps({'apps': apps})}")
    for path in ("src/web", "src/worker", "app"):
        (tmp_path / path).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize("line", [*command_lines()])
def test_a_command_line_of_the_documentation(devrun, folder, line):
    words = shlex.split(line, comments=True)[1:]
    if words[:1] == ["exec"]:
        assert devrun(*words, env_added={"PATH": f"{folder}:/bin:/usr/bin"}).wait() == 0
        return
    if words[:1] == ["export"]:
        run = devrun(*words)
        assert run.wait() == 0, run.text
        assert "Made by devrun export" in run.text or "next: " in run.text
        return
    dry = [] if words[:1] == ["check"] else ["--dry-run"]
    if words.count("-f") == 2:
        (folder / "Procfile").write_text("web: sleep 1\n")
        (folder / "Procfile.more").write_text("worker: sleep 1\n")
    run = devrun(*words[:1], *dry, *words[1:]) if words[:1] == ["start"] else devrun(*dry, *words)
    assert run.wait() == 0, run.text
    assert "services" in run.text or {"--env", "--format"} & {*words}


# -- what is said in passing --------------------------------------------------------------------


def inline_lines():
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        for line in dict.fromkeys(re.findall(r"`(devrun [^`]+)`", text)):
            yield pytest.param(line.replace("\\|", "|"), id=f"{page.name}: {line[:60]}")


@pytest.mark.parametrize("line", [*inline_lines()])
def test_what_is_said_in_passing_has_commands_and_options_that_there_are(line):
    words = shlex.split(re.split(r" (?:[|>]|&&)|…", line)[0])[1:]
    words = words[: words.index("--")] if "--" in words else words
    if words and re.fullmatch("[a-z-]+", words[0]) and not words[0].startswith("-"):
        assert words[0] in COMMANDS
    command = words[0] if words and words[0] in COMMANDS else "run"
    known = {"--help", "--version", *COMPLETION_OPTIONS}
    known |= {name for flag in flags_of(command) for name in flag.names}
    for word in words:
        option = word.partition("=")[0]
        if option.startswith("--"):
            assert option in known or f"--{option.removeprefix('--no-')}" in known


def test_the_readme_leads_to_every_page():
    text = (ROOT / "README.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text


def test_the_readme_has_the_commands_for_a_running_project_in_its_first_screens():
    beginning = "\n".join((ROOT / "README.md").read_text().splitlines()[:65])
    for command in ("ps", "logs", "restart", "attach", "up -d", "down", "help"):
        assert f"devrun {command}" in beginning


PM2_COMMANDS = """
    start trigger deploy startOrRestart startOrReload pid create startOrGracefulReload stop
    restart scale profile:mem profile:cpu reload id inspect delete sendSignal ping updatePM2
    update install module:update module:generate uninstall package publish set multiset get conf
    config unset report link unlink monitor unmonitor open plus login logout dump save cleardump
    send attach resurrect unstartup startup logrotate ecosystem init reset describe desc info
    show env list ls l status jlist slist prettylist monit imonit dashboard flush reloadLogs
    logs kill pull forward backward deepUpdate serve expose autoinstall examples install-otel
    uninstall-otel
""".split()  # noqa: SIM905 - a list of words is read as words
"""Those of PM2 7.0.4, as its own help has them."""


@pytest.mark.parametrize("command", PM2_COMMANDS)
def test_the_page_about_pm2_names_each_of_its_commands(command):
    page = (ROOT / "docs/from-pm2.md").read_text().partition("## Command by command")[2]
    theirs = "\n".join(line.split(" | ")[0] for line in page.splitlines() if line.startswith("| "))
    assert re.search(rf"(`|pm2 ){re.escape(command)}[ `]", theirs)


def test_the_package_script_of_the_readme(devrun):
    script = re.search(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
    words = shlex.split(json.loads("{" + script + "}")["dev"])
    run = devrun(*words[1:], "--dry-run")
    assert run.wait() == 0, run.text
    assert {"[web]", "[worker]", "[chat]"} < set(run.lines)


def test_the_examples_of_the_help(devrun, folder):
    for name in ("devrun.toml", "devrun.local.toml"):
        (folder / name).write_text('[services]\nweb = "sleep 1"\n')
    run = devrun("--help", env_added={"COLUMNS": "200"})
    assert run.wait() == 0
    examples = [line.strip() for line in run.lines if line.strip().startswith("devrun ")]
    assert len(examples) >= 3
    for line in examples:
        shown = devrun(*shlex.split(line)[1:], "--dry-run")
        assert shown.wait() == 0, shown.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target
