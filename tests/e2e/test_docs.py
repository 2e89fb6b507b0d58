"""Every command line that the documentation shows is one that devrun understands."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

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
