"""Which file systems are looked at instead of listened to."""

from __future__ import annotations

import pytest

from devrun.sources.watch_mounts import SILENT, parse_mounts, silent_file_system

MOUNTINFO = [
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard\n",
    "30 27 0:25 / /mnt/c rw,noatime - 9p drvfs rw,dirsync,aname=drvfs;path=C:\\\n",
    "31 27 0:26 / /home/team\\040share rw shared:2 master:1 - nfs4 server:/x rw\n",
    "32 31 0:27 / /home/team\\040share/local rw - tmpfs tmpfs rw\n",
    "33 27 8:1 / /media/stick rw - fuseblk /dev/sdb1 rw\n",
    "34 27 0:30 / /home/me/remote rw - fuse.sshfs me@there:/ rw\n",
    "not a line of mountinfo\n",
]


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", None),
        ("/home/me/src", None),
        ("/mnt/c/home/src", "9p"),
        ("/mnt/cc", None),
        ("/home/team share/src", "nfs4"),
        ("/home/team share/local/src", None),
        ("/media/stick/src", None),
        ("/home/me/remote", "fuse.sshfs"),
    ],
)
def test_the_innermost_mount_decides(folder, kind):
    assert silent_file_system([folder], parse_mounts(MOUNTINFO)) == kind


def test_one_silent_folder_is_enough():
    mounted = parse_mounts(MOUNTINFO)
    assert silent_file_system(["/home/me", "/mnt/c/x", "/tmp"], mounted) == "9p"


def test_what_is_mounted_later_at_the_same_place_counts():
    lines = ["1 0 0:1 / /x rw - ext4 a rw\n", "2 1 0:2 / /x rw - cifs b rw\n"]
    assert silent_file_system(["/x/y"], parse_mounts(lines)) == "cifs"


@pytest.mark.parametrize("kind", sorted(SILENT))
def test_every_silent_type_is_known(kind):
    assert silent_file_system(["/a/b"], {"/a": kind}) == kind


def test_nothing_is_known_without_mounts():
    assert silent_file_system(["/a/b"], {}) is None
