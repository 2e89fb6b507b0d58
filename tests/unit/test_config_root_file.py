"""Which file is the shared root ``.env``."""

from __future__ import annotations

import os

import pytest

from devrun.config.root_file import find_root_file

MARKERS = {
    ".git": None,
    "pnpm-workspace.yaml": "packages: []\n",
    "package.json": '{"name": "x", "workspaces": ["apps/*"]}',
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["apps/*"]\n',
}
NO_MARKERS = {
    "package.json": '{"name": "x", "keywords": ["workspaces"]}',
    "pyproject.toml": '[tool.uv]\nworkspace-like = 1\n[tool.other]\nworkspace = "x"\n',
}


def put(folder, name, text=""):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if text is None:
        path.mkdir()
    else:
        path.write_text(text)
    return str(path)


@pytest.fixture
def deep(tmp_path):
    folder = tmp_path / "repo" / "apps" / "web"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(("marker", "text"), MARKERS.items(), ids=MARKERS.keys())
def test_the_search_goes_up_to_the_root_and_no_further(tmp_path, deep, marker, text):
    put(tmp_path, ".env")
    put(tmp_path / "repo", marker, text)
    assert find_root_file(str(deep)) is None
    root = put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) == root


@pytest.mark.parametrize("text", ["gitdir: ../elsewhere\n", None], ids=["file", "folder"])
def test_git_is_a_marker_as_a_file_too(tmp_path, deep, text):
    put(tmp_path / "repo", ".git", text)
    root = put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) == root


def test_the_nearest_is_taken(tmp_path, deep):
    put(tmp_path / "repo", ".git", None)
    put(tmp_path / "repo", ".env")
    between = put(tmp_path / "repo" / "apps", ".env")
    assert find_root_file(str(deep)) == between
    own = put(deep, ".env")
    assert find_root_file(str(deep)) == own


def test_a_root_may_be_the_current_folder_itself(deep):
    put(deep, ".git", None)
    put(deep.parent, ".env")
    assert find_root_file(str(deep)) is None


def test_without_a_root_only_the_own_file_counts(tmp_path, deep):
    put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) is None
    own = put(deep, ".env")
    assert find_root_file(str(deep)) == own


@pytest.mark.parametrize(("name", "text"), NO_MARKERS.items(), ids=NO_MARKERS.keys())
def test_a_project_file_without_a_workspace_is_no_root(tmp_path, deep, name, text):
    put(deep, name, text)
    put(tmp_path / "repo", ".git", None)
    root = put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) == root


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("package.json", '{"workspaces": '),
        ("package.json", '["workspaces"]'),
        ("package.json", '{"workspaces":' + "[" * 100_000),
        ("package.json", None),
        ("pyproject.toml", "[tool.uv.workspace"),
        ("pyproject.toml", 'tool = "workspace"'),
    ],
)
def test_a_broken_project_file_is_no_root(tmp_path, deep, name, text):
    put(deep, name, text)
    put(tmp_path / "repo", ".git", None)
    root = put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) == root


def test_a_folder_called_dot_env_is_passed_over(tmp_path, deep):
    put(deep, ".env", None)
    put(tmp_path / "repo", ".git", None)
    root = put(tmp_path / "repo", ".env")
    assert find_root_file(str(deep)) == root


def test_a_link_is_taken_even_if_it_leads_nowhere(tmp_path, deep):
    put(tmp_path / "repo", ".git", None)
    put(tmp_path / "repo", ".env")
    os.symlink("nowhere", deep / ".env")
    assert find_root_file(str(deep)) == str(deep / ".env")
