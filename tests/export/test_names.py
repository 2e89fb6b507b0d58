"""Names and paths that mean something else to the programs that read the files."""

from __future__ import annotations

import sys

import pytest
import yaml
from exporting import export, run
from hypothesis import given
from hypothesis import strategies as st

from devrun.export import quoting

NAMES = ["on", "1", "y", "null", "2024-01-02", "1e3", "0x1f", "web"]
PROCFILE = "".join(f"{name}: sleep 60\n" for name in NAMES)


def project_called(tmp_path, name, procfile=PROCFILE):
    folder = tmp_path / name
    folder.mkdir()
    (folder / "Procfile").write_text(procfile)
    (folder / ".env").write_text("A=1\n")
    return folder


@given(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True) | st.sampled_from(NAMES))
def test_yaml_reads_every_name_as_a_text(name):
    assert yaml.safe_load(quoting.yaml_name(name)) == name
    assert yaml.safe_load(f"{quoting.yaml_name(name)}: 1\n") == {name: 1}


def test_docker_compose_knows_services_of_every_name(tmp_path):
    project = project_called(tmp_path, "2024")
    export(project, "compose", "out")
    text = run("docker-compose", "-f", "compose.yaml", "config", cwd=project / "out")
    assert list(yaml.safe_load(text)["services"]) == sorted(NAMES)


@pytest.mark.parametrize("folder", ["2024", "on", "2024-01"])
def test_kubernetes_takes_every_name(tmp_path, folder):
    project = project_called(tmp_path, folder)
    export(project, "kubernetes", "k8s", "--public", "A")
    files = sorted(map(str, (project / "k8s").iterdir()))
    said = run(sys.executable, "-m", "kubernetes_validate", "--strict", *files)
    assert said.count("passed") == len(files) == len(NAMES) + 2
    for path in (project / "k8s").iterdir():
        name = yaml.safe_load(path.read_text())["metadata"]["name"]
        assert isinstance(name, str)
        assert name.startswith(folder)


def test_app_platform_is_given_texts(tmp_path):
    project = project_called(tmp_path, "2024")
    done = export(project, "app-platform", "out")
    read = yaml.safe_load((project / "out/app.yaml").read_text())
    assert read["name"] == "2024"
    assert [worker["name"] for worker in read["workers"]] == NAMES[:-1]
    for name in ("2024", "1", "y"):
        assert f'note: "{name}": App Platform takes names of 2 to 32 characters' in done.stderr


def test_compose_finds_a_folder_with_a_dollar(tmp_path):
    project = project_called(tmp_path, "x$y ${z}", "web: sleep 60\n")
    (project / "Dockerfile").write_text("FROM scratch\n")
    export(project, "compose", str(tmp_path / "out"), "-a", "app")
    text = run("docker-compose", "-f", "compose.yaml", "config", cwd=tmp_path / "out")
    service = yaml.safe_load(text)["services"]["web"]
    assert service["environment"] == {"A": "1", "PORT": "5000"}, "of the .env file"
    assert service["build"]["context"].replace("$$", "$") == str(project)
