"""The Dockerfile of docs/containers.md as it stands there, and what it says of its image.

Its base images are stand-ins with little more than a busybox: Python, Node and the libraries are
this machine's, laid into the containers, so that nothing is fetched from anywhere.
"""

from __future__ import annotations

import contextlib
import csv
import ensurepip
import io
import json
import re
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from container_engine import Engine, root_file_system
from running import MARK, until

import devrun as package

PAGE = Path(__file__).parents[2] / "docs" / "containers.md"
PYTHON = str(Path(sys.executable).resolve())
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/etc/ld.so.cache", f"{sys.base_prefix}/lib")

PROGRAMS = {
    "python": f"""
        test "$1 $2" = "-m venv" || exec {PYTHON} "$@"
        {PYTHON} -m venv --without-pip "$3"
        echo "exec $3/bin/python /host/pip.whl/pip \\"\\$@\\"" > "$3/bin/pip"
        chmod 755 "$3/bin/pip"
        """,
    "node": 'exec /host/node "$@"',
    "npm": 'case "$*" in "run build") echo built > built.txt ;; esac',
    "useradd": """
        test "$1" = --create-home || exit 2
        echo "$2:x:1000:1000::/home/$2:/bin/sh" >> /etc/passwd
        echo "$2:x:1000:" >> /etc/group
        mkdir "/home/$2" && chown 1000:1000 "/home/$2"
        """,
}
"""What the real images have and the stand-ins are given.

An environment's pip is run from the wheel that Python has of it: installing it would take longest.
"""

PROJECT = {
    "package.json": "{}\n",
    "package-lock.json": "{}\n",
    ".dockerignore": ".env\n.git\nnode_modules\n",
    ".env": "SECRET=1\n",
    "server.js": """
        const answer = (request, response) => response.end("ok");
        const port = process.env.PORT;
        require("http").createServer(answer).listen(port, () => {
          console.log("built", require("fs").existsSync("built.txt"));
          console.log("secret", require("fs").existsSync(".env"));
          console.log("user", process.getuid());
        });
        """,
    "worker/requirements.txt": "",
    "worker/worker.py": """if True:
        import shutil, signal
        print("python", shutil.which("python"), "devrun", shutil.which("devrun"), flush=True)
        signal.pause()
        """,
}
PIP_CONFIGURATION = "[global]\nno-index = true\n[install]\nno-deps = true\n"


def block_of(page: str, language: str, begin: str) -> str:
    """Return the block of code that begins so."""
    blocks = re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)
    (block,) = [block for block in blocks if block.startswith(begin)]
    return block


def write_wheel(folder: Path) -> None:
    """Write devrun as a wheel, without the program that usually makes one."""
    source = Path(package.__file__).parent
    inside = "devrun-1.dist-info"
    files = {
        f"devrun/{path.relative_to(source)}": path.read_bytes()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {
        f"{inside}/METADATA": b"Metadata-Version: 2.1\nName: devrun\nVersion: 1\n",
        f"{inside}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{inside}/entry_points.txt": b"[console_scripts]\ndevrun = devrun.__main__:main\n",
    }
    record = io.StringIO()
    csv.writer(record).writerows([name, "", ""] for name in [*files, f"{inside}/RECORD"])
    files[f"{inside}/RECORD"] = record.getvalue().encode()
    folder.mkdir()
    with zipfile.ZipFile(folder / "devrun-1-py3-none-any.whl", "w") as wheel:
        for name, content in files.items():
            wheel.writestr(name, content)


def write_project(folder: Path) -> Path:
    """Write the project that the page's Dockerfile is for."""
    page = PAGE.read_text()
    (folder / "worker").mkdir(parents=True)
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    (folder / "Dockerfile").write_text(block_of(page, "dockerfile", "# syntax="))
    (folder / "devrun.toml").write_text(
        block_of(page, "toml", '[services.web]\ncommand = ["node", "server.js"]')
    )
    write_wheel(folder / "dist")
    return folder


def import_base_images(engine: Engine, folder: Path) -> None:
    """Make the two images that the Dockerfile begins with."""
    for image, names in (
        ("python:3.12-slim-bookworm", ("python", "useradd")),
        ("node:22-bookworm-slim", ("node", "npm")),
    ):
        tree = root_file_system(folder / names[0])
        (tree / "tmp").chmod(0o1777)
        for name in ("etc", "home", "root", "usr/local/bin"):
            (tree / name).mkdir(parents=True)
        (tree / "etc" / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
        (tree / "etc" / "group").write_text("root:x:0:\n")
        for name in names:
            path = tree / "usr" / "local" / "bin" / name
            path.write_text(f"#!/bin/sh\n{PROGRAMS[name]}\n")
            path.chmod(0o755)
        engine.import_image(tree, f"docker.io/library/{image}")


def pip_wheel() -> Path:
    """Return the wheel from which this Python installs pip."""
    elsewhere = sysconfig.get_config_var("WHEEL_PKG_DIR")
    folder = Path(elsewhere or Path(ensurepip.__file__).parent / "_bundled")
    return next(folder.glob("pip-*.whl"))


def from_this_machine(folder: Path) -> list[str]:
    """Return the options that lay this machine's Python, Node and libraries into a container."""
    (folder / "pip.conf").write_text(PIP_CONFIGURATION)
    places = {path: path for path in (*LIBRARIES, PYTHON) if Path(path).exists()}
    places[str(Path(shutil.which("node")).resolve())] = "/host/node"
    places[str(Path(trio.__file__).parents[1])] = "/host/packages"
    places[str(pip_wheel())] = "/host/pip.whl"
    places[str(folder / "pip.conf")] = "/etc/pip.conf"
    return [f"--volume={here}:{there}:ro" for here, there in places.items()]


@pytest.fixture(scope="module")
def image(engine, tmp_path_factory) -> list[str]:
    """Build the image; return the words of ``podman run`` that end in its name."""
    if shutil.which("node") is None:
        pytest.skip("not installed: node")
    folder = tmp_path_factory.mktemp("dockerfile")
    import_base_images(engine, folder)
    project = write_project(folder / "project")
    volumes = from_this_machine(folder)
    # Only docker's own format of an image has a place for HEALTHCHECK; a layer for every step would
    # be a copy of everything each time.
    options = ("--format=docker", "--layers=false", "--pull-never", "--network=host", "--tag=shop")
    engine.podman("build", *options, *volumes, str(project))
    return [*volumes, "--env=PYTHONPATH=/host/packages", "--privileged", "shop"]


@pytest.fixture
def shop(engine, image, mark, free_port):
    """Run the image; return the container's name as soon as its own health check succeeds."""
    with contextlib.ExitStack() as containers:

        def start(*words: str, options: tuple[str, ...] = ()) -> str:
            containers.callback(engine.podman, "rm", "--force", "--time=0", mark)
            variables = (f"--env={MARK}={mark}", f"--env=PORT={free_port}")
            engine.podman("run", "--detach", f"--name={mark}", *variables, *options, *image, *words)
            until(lambda: engine.succeeds("healthcheck", "run", mark), "the health check's success")
            return mark

        yield start


@pytest.fixture
def instances(engine) -> Callable[[str], dict[str, dict[str, object]]]:
    """Ask devrun in a container what runs, by name."""

    def ask(container: str) -> dict[str, dict[str, object]]:
        answer = json.loads(engine.podman("exec", container, "devrun", "ps", "--json"))
        (run,) = answer["runs"]
        return {instance["name"]: instance for instance in run["instances"]}

    return ask


def test_the_image_runs_both_services_as_its_user_on_a_read_only_file_system(
    engine, shop, instances
):
    name = shop(options=("--read-only", "--read-only-tmpfs=false", "--tmpfs=/tmp"))
    running = instances(name)
    assert {each: running[each]["state"] for each in running} == {
        "web": "ready",
        "worker": "running",
    }
    until(lambda: engine.podman("exec", name, "devrun", "logs", "worker"), "the worker's words")
    assert set(engine.podman("exec", name, "devrun", "logs").splitlines()) == {
        "[web   ] built true",
        "[web   ] secret false",
        "[web   ] user 1000",
        "[worker] python /usr/local/bin/python devrun /usr/local/bin/devrun",
    }
    engine.podman("stop", "--time=25", name)
    assert engine.podman("wait", name).strip() == "143"
    assert "Sending SIGTERM to 2 processes" in engine.podman("logs", name)


def test_words_behind_the_name_of_the_image_are_added_to_its_entry_point(engine, shop, instances):
    name = shop("--log-format", "json", "web")
    assert list(instances(name)) == ["web"]

    def events() -> list[str]:
        objects = [json.loads(line) for line in engine.podman("logs", name).splitlines()]
        return [each["event"] for each in objects if "event" in each]

    until(lambda: events() == ["started", "ready"], "both events")


def test_a_worker_that_is_killed_is_started_again_and_leaves_no_zombie(engine, shop, instances):
    name = shop()
    engine.podman("exec", name, "kill", "-KILL", str(instances(name)["worker"]["pid"]))
    until(lambda: instances(name)["worker"]["restarts"] == 1, "the worker's restart")

    def zombies() -> str:
        every = "cat /proc/[0-9]*/status 2>/dev/null | grep '^State:.*Z' || true"
        return engine.podman("exec", name, "sh", "-c", every)

    until(lambda: not zombies(), "the reaping of everything")
