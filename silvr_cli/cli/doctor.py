"""`silvr doctor`: what works on this machine, what is missing, and the command that mends it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from . import options

if TYPE_CHECKING:
    from ..backends import Role
    from ..settings import Settings

ROLES: tuple[Role, ...] = ("llm", "vision", "speech")
# Distribution, the module it brings, and what for.
PACKAGES = (
    ("av", "av", "decoding"),
    ("scenedetect-headless", "scenedetect", "scenes"),
    ("rapidocr", "rapidocr", "on-screen text"),
    ("faster-whisper", "faster_whisper", "speech"),
    ("xllamacpp", "xllamacpp", "the embedded language model"),
)
MEND_SERVER = "start it, check its key, or unset what points to it"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `ok` is None for what is good to know but not needed."""

    name: str
    ok: bool | None
    found: str
    mend: str = ""


def doctor(base_url: options.BaseUrl = None, json: options.Json = False) -> None:
    """Say what works on this machine, what is missing, and what mends it."""
    from .display import document, table

    settings = options.settings_from(servers__base_url=base_url).settings
    checks = [check for find in CHECKS for check in find(settings)]
    if json:
        document(checks)
    else:
        marks = {True: "ok", False: "MISSING", None: "-"}
        table(
            ("what", "state", "found", "to mend"),
            [(c.name, marks[c.ok], c.found, c.mend) for c in checks],
        )
    if any(check.ok is False for check in checks):
        raise typer.Exit(4)


def _python(settings: Settings) -> list[Check]:
    del settings
    found = ".".join(str(part) for part in sys.version_info[:3])
    return [Check("Python", sys.version_info >= (3, 10), found, "install Python 3.10 or newer")]


def _packages(settings: Settings) -> list[Check]:
    del settings
    checks = [_package(*row) for row in PACKAGES]
    if _installed("opencv-python") and _installed("opencv-python-headless"):
        mend = "pip uninstall opencv-python; pip install --force-reinstall opencv-python-headless"
        checks.append(Check("OpenCV", False, "two packages overwrite each other", mend))
    return checks


def _package(package: str, module: str, use: str) -> Check:
    """Whether the package is there and loads: a library that it needs may be missing."""
    from importlib import import_module
    from importlib.metadata import version

    from ..backends import openmp

    title = f"{package} ({use})"
    if not _installed(package):
        return Check(title, False, "", f"pip install {package}")
    openmp.lend()
    try:
        import_module(module)
    except ImportError as error:
        found = f"{version(package)} does not load: {error}"
        return Check(title, False, found, f"pip install --force-reinstall {package}")
    return Check(title, True, version(package))


def _installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _weights(settings: Settings) -> list[Check]:
    from ..weights import catalogue, store

    checks = []
    for entry in catalogue.entries():
        if entry.default:
            state = store.state(entry, settings)
            mend = "" if state == "installed" else f"silvr models pull {entry.name}"
            checks.append(Check(f"weights {entry.name}", state == "installed", state, mend))
    return checks


def _cache(settings: Settings) -> list[Check]:
    from ..cache.store import Store
    from ..errors import CacheError
    from ..settings import cache_path

    path = cache_path(settings)
    try:
        Store.open(path).close()
    except CacheError as error:
        return [Check("cache", False, error.message, error.hint or "")]
    free = shutil.disk_usage(path.parent).free / 1e9
    return [Check("cache", True, f"{path}, {free:.0f} GB free on its disk")]


def _machine(settings: Settings) -> list[Check]:
    cores = os.cpu_count() or 1
    gpu = "an NVIDIA GPU" if shutil.which("nvidia-smi") else "no NVIDIA GPU"
    return [Check("machine", None, f"{cores} cores, {gpu}"), *map(_auto(settings), ROLES)]


def _auto(settings: Settings) -> Callable[[Role], Check]:
    """What `auto` stands for in a role on this machine."""

    def check(role: Role) -> Check:
        from .. import backends
        from ..errors import SilvrError

        try:
            choice = backends.resolve(role, "auto", settings)
        except SilvrError as error:
            return Check(f"{role}, auto", False, error.message, error.hint or "")
        return Check(f"{role}, auto", None, f"{choice.spec}: {choice.reason}")

    return check


def _hosted(settings: Settings) -> list[Check]:
    """Each server that is configured or in reach, tried with a tiny call."""
    from .. import servers

    checks = []
    for offer in servers.offers(settings):
        works, found = servers.tried(offer, settings)
        checks.append(Check(f"server {offer.provider}", works, found, "" if works else MEND_SERVER))
    return checks or [Check("servers", None, "none configured, no key set, none on this machine")]


CHECKS: tuple[Callable[[Settings], list[Check]], ...] = (
    _python,
    _packages,
    _weights,
    _cache,
    _machine,
    _hosted,
)
