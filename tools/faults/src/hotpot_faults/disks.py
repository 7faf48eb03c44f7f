"""What validators keep their files on: disks of their own that fill up or lose power."""

import errno
import fcntl
import os
import shutil
import struct
import subprocess

from .asking import say, wait_for
from .machine import is_alone

DISK_BYTES = 384 * 1024 * 1024
SMALL_DISK_BYTES = 256 * 1024 * 1024
NO_SPACE = os.strerror(errno.ENOSPC)
# _IOR('X', 125, __u32), and the flag that drops what the journal has not flushed.
EXT4_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = 2


def fill_disk(folder):
    """Takes all room of a file system; gives the file to be deleted."""
    filling = folder / "filling"
    with open(filling, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    return filling


class SmallDisk:
    """A validator's folder as a small file system that can be filled."""

    def __init__(self, folder):
        self.folder = folder

    @classmethod
    def mount(cls, folder):
        """None when this machine does not let us."""
        folder.mkdir(parents=True, mode=0o700)
        command = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={SMALL_DISK_BYTES},mode=700",
            "hotpot-chaos",
            folder,
        ]
        if os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0:
            return cls(folder)
        say("SKIPPED: no disk will be full; mounting a small one needs root")
        return None

    def fill(self):
        fill_disk(self.folder)

    def free(self):
        (self.folder / "filling").unlink(missing_ok=True)

    def unmount(self, keep):
        """With `keep`, what was on it stays behind in the folder."""
        self.free()
        copy = self.folder.with_suffix(".kept")
        if keep:
            shutil.copytree(self.folder, copy)
        subprocess.run(["umount", self.folder], check=True)
        if keep:
            self.folder.rmdir()
            copy.rename(self.folder)


class Disk:
    """A validator's folder as an ext4 file system of its own."""

    def __init__(self, folder, image):
        self.folder, self.image, self.filling = folder, image, None
        folder.mkdir(mode=0o700)
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)

    def mount(self, check=True):
        return subprocess.run(["mount", "-o", "loop,discard", self.image, self.folder], check=check)

    def unmount(self):
        def done():
            return (
                subprocess.run(
                    ["umount", self.folder], check=False, stderr=subprocess.DEVNULL
                ).returncode
                == 0
            )

        wait_for("end of who uses the disk", done, 10)

    def fill(self):
        self.filling = fill_disk(self.folder)

    def free(self):
        assert self.filling, "it was never filled"
        self.filling.unlink(missing_ok=True)

    def cut_power(self):
        """From now on the disk takes nothing; what was not fsynced is lost."""
        folder = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
        os.close(folder)

    def restore_power(self):
        """Only once nobody has a file open on it."""
        self.unmount()
        self.mount()

    def close(self):
        subprocess.run(["umount", "--lazy", self.folder], check=False)


def open_disks(folders, images):
    """Disks, or none at all. Images lie in memory: what a power cut loses is the page cache in front of them."""
    if is_alone():
        images.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", images], check=True)
        disks = [Disk(folder, images / f"{folder.name}.ext4") for folder in folders]
        if all(disk.mount(check=False).returncode == 0 for disk in disks):
            return disks
        for disk in disks:
            disk.close()
    say("SKIPPED: no full disk, no power cut; they need root and loop devices")
    return [None] * len(folders)
