"""The file that a video is read from: where it lies, and whether it is still the one it was.

A file that grows or is replaced while it is read would give text of two videos under one name.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from ..errors import InputError


class Stamp(NamedTuple):
    """What changes when a file does: its size in bytes and its time of change in nanoseconds."""

    size: int
    mtime_ns: int


def stamp(path: Path) -> Stamp:
    """A file's stamp now; raises InputError when it is no file, or none that may be read."""
    try:
        found = path.stat()
    except OSError as error:
        raise unreadable(path, error) from error
    except ValueError as error:
        # No system call takes a zero byte.
        raise InputError(f"{str(path)!r} cannot be a file: {error}", "check the name") from error
    if stat.S_ISDIR(found.st_mode):
        raise _folder(path)
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path} is a pipe or a device, not a file", "save it as a file first")
    if found.st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes)", "was the download cut off?")
    if not os.access(path, os.R_OK):
        raise unreadable(path, PermissionError(13, "Permission denied"))
    return Stamp(found.st_size, found.st_mtime_ns)


def _folder(path: Path) -> InputError:
    """A folder is entered, unless it cannot be: then that is what is wrong."""
    try:
        os.scandir(path).close()
    except OSError as error:
        return unreadable(path, error)
    return InputError(f"{path} is a folder", "name a video file")


def unreadable(path: Path, error: OSError) -> InputError:
    """The system's refusal as one sentence."""
    if isinstance(error, FileNotFoundError):
        what = "points to nothing" if path.is_symlink() else "does not exist"
        return InputError(f"{path} {what}", "check the name")
    if isinstance(error, IsADirectoryError):
        return InputError(f"{path} is a folder", "name a video file")
    return InputError(f"{path} cannot be read: {error.strerror or error}")


class Original:
    """A file on this disk, and its stamp when it was first looked at."""

    def __init__(self, path: Path, seen: Stamp | None = None) -> None:
        self._path, self._seen = path, seen

    def path(self) -> Path:
        """Where the file lies."""
        return self._path

    def check(self) -> None:
        """Raise InputError when the file has changed since it was first looked at."""
        if self._seen is not None and stamp(self.path()) != self._seen:
            raise InputError(
                f"{self.path().name} changed while it was read",
                "wait until it is complete, then run again",
            )
