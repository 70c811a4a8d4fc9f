"""What rights a file gets that was first written under another name, for its owner alone."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def rights(path: Path) -> int:
    """Those of the file that is replaced, else those that any new file gets."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
