"""llama.cpp's library, and OpenMP's for it where the system has none: CTranslate2's wheel has one.

xllamacpp expects the system's libgomp.so.1, which a bare Debian does not install; CTranslate2
brings the same library under a name of its own, so it is loaded once more under the name expected.
"""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

from ..errors import BackendMissing

EXPECTED = "libgomp.so.1"


def lend(expected: str = EXPECTED) -> Path | None:
    """See to it that `expected` can be loaded; the lent file, or None if none was needed or had.

    Call it before xllamacpp is imported. What is lent lives in memory; no file is written.
    """
    if not sys.platform.startswith("linux") or _loads(expected):
        return None
    carried = _carried()
    if carried is not None:
        _load_as(expected, carried)
    return carried


def llama() -> Any:
    """The library xllamacpp; raises BackendMissing."""
    # Set before OpenMP starts: threads that spin while waiting make a busy machine crawl.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    lend()
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise BackendMissing("the package xllamacpp is missing", "pip install xllamacpp") from error
    except ImportError as error:
        raise BackendMissing(
            f"the package xllamacpp cannot be loaded: {error}", "on Debian: apt install libgomp1"
        ) from error
    return xllamacpp


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _carried() -> Path | None:
    try:
        found = files("ctranslate2") or []
    except PackageNotFoundError:
        return None
    return next((Path(str(f.locate())) for f in found if f.name.startswith("libgomp-")), None)


def _load_as(name: str, path: Path) -> None:
    """Load a copy whose SONAME (its file name, in auditwheel's wheels) is replaced by `name`.

    The loader compares SONAMEs, so a link of the right name would not do.
    """
    old, new = path.name.encode() + b"\0", name.encode() + b"\0"
    handle = os.memfd_create(name)
    with os.fdopen(handle, "wb") as file:
        file.write(path.read_bytes().replace(old, new.ljust(len(old), b"\0")))
        file.flush()
        ctypes.CDLL(f"/proc/self/fd/{handle}", mode=ctypes.RTLD_GLOBAL)
