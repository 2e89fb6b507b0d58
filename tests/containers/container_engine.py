"""A container engine of the tests' own: podman with its own images, and podman-compose.

podman-compose stands for docker compose: the same files, the same words, an engine that needs no
daemon. The settings are those with which podman runs on a bare machine: cgroups are written without
systemd's help, containers share the host's network, and limits are named instead of inherited.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
from dataclasses import dataclass
from pathlib import Path

IMAGE = "localhost/busybox:devrun"
PROGRAMS = ("podman", "runc", "busybox")
NO_CONTAINERS = "this machine runs no containers"
COMPOSE = Path(sysconfig.get_path("scripts")) / "podman-compose"

_CONTAINERS_CONF = """
[containers]
netns = "host"
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
log_driver = "k8s-file"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "{folder}/tmp"
"""

_STORAGE_CONF = """
[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""

_REFUSALS = re.compile(
    r"not permitted|permission denied|read-only file system|not implemented|not supported|"
    r"cgroup|seccomp|namespace|setns|unshare|no such device|invalid argument",
    re.IGNORECASE,
)
"""What podman and runc say where the kernel, or what the machine runs in, does not let them."""


class MissingError(Exception):
    """Something is not installed."""


class RefusedError(Exception):
    """Everything is installed, and the machine does not run containers."""


@dataclass(frozen=True)
class Engine:
    """podman with a folder of its own.

    Attributes:
        env: Variables that make podman and podman-compose use that folder.
    """

    env: dict[str, str]

    def podman(self, *words: str) -> str:
        """Run podman, which has to succeed; return its stdout."""
        done = self._run(*words)
        assert done.returncode == 0, f"podman {' '.join(words)}: {done.stderr}"
        return done.stdout

    def succeeds(self, *words: str) -> bool:
        """Run podman; return whether it has succeeded."""
        return self._run(*words).returncode == 0

    def containers(self, project: str) -> list[str]:
        """Return the names of a project's containers, running or not, as podman has them."""
        label = f"label=io.podman.compose.project={project}"
        return self.podman("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["podman", *words],
            env=os.environ | self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def import_image(self, tree: Path, name: str, *changes: str) -> None:
        """Make a folder the root file system of an image."""
        archive = tree.with_suffix(".tar")
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, arcname=".")
        words = [word for change in changes for word in ("--change", change)]
        self.podman("import", *words, str(archive), name)

    def try_out(self) -> None:
        """Run a container, and another process in it.

        Raises:
            RefusedError: The machine does not let us.
        """
        run = ("run", "--detach", "--name", "trial", "--privileged", IMAGE, "sleep", "1000")
        try:
            for words in (run, ("exec", "trial", "true")):
                done = self._run(*words)
                if done.returncode and _REFUSALS.search(done.stderr):
                    raise RefusedError(
                        f"this machine runs no containers: {done.stderr.strip()[-300:]}"
                    )
                assert done.returncode == 0, done.stderr
        finally:
            self._run("rm", "--force", "--time", "0", "trial")


def make_engine(folder: Path) -> Engine:
    """Set an engine up, with one image, and try it out.

    Raises:
        MissingError: Something is to be installed.
        RefusedError: The machine does not let us.
    """
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    missing += [] if COMPOSE.exists() else ["podman-compose"]
    if missing:
        raise MissingError(f"not installed: {', '.join(missing)}")
    if os.getuid() != 0:
        raise RefusedError(f"{NO_CONTAINERS}: that needs root here")
    for name, text in (("containers", _CONTAINERS_CONF), ("storage", _STORAGE_CONF)):
        (folder / f"{name}.conf").write_text(text.format(folder=folder))
    engine = Engine(
        {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "PATH": f"{COMPOSE.parent}:{os.environ['PATH']}",
        }
    )
    engine.import_image(root_file_system(folder / "root"), IMAGE)
    engine.try_out()
    return engine


def remove_engine(folder: Path) -> None:
    """Remove an engine's folder, and what containers that were killed have left mounted in it."""
    places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted(places, reverse=True):
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=True)
    shutil.rmtree(folder)


def root_file_system(folder: Path) -> Path:
    """Make a root file system out of a busybox that is linked statically."""
    busybox = shutil.which("busybox")
    content = Path(busybox).read_bytes()
    if b"/ld-linux" in content[:4096] or b"/ld-musl" in content[:4096]:
        raise MissingError("busybox is linked dynamically; not installed: busybox-static")
    (folder / "bin").mkdir(parents=True)
    (folder / "tmp").mkdir()
    shutil.copy(busybox, folder / "bin" / "busybox")
    listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    for name in set(listed.stdout.split()) - {"busybox"}:
        (folder / "bin" / name).symlink_to("busybox")
    return folder
