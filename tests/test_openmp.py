"""The OpenMP library that CTranslate2 carries stands in for a system's that is missing."""

from __future__ import annotations

import subprocess
import sys

import pytest

LEND = """
import ctypes
from silvr_cli.backends.openmp import lend
name = {name!r}
lent = lend(name)
print(lent is not None)
ctypes.CDLL(name).omp_get_max_threads()
print("loaded")
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux's wheels expect the system's libgomp"
)


def lending(name: str) -> list[str]:
    """In a process of its own: what is loaded once stays loaded."""
    code = LEND.format(name=name)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_a_missing_library_is_lent_under_the_name_expected() -> None:
    assert lending("libgomp-none.so.1") == ["True", "loaded"]


def test_nothing_is_lent_where_the_library_is_there() -> None:
    from silvr_cli.backends.openmp import lend

    assert lend("libc.so.6") is None
