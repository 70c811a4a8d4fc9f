"""The folder of weights: finds what is there, pulls what is not, and trusts only verified bytes.

<folder>/<name>/<file>          whole, verified weights
<folder>/<name>.partial/…       a pull in progress or cut short
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..errors import WeightsError
from ..settings import weights_path
from . import sources
from .catalogue import Entry, File

if TYPE_CHECKING:
    from ..protocols import Progress
    from ..settings import Settings

State = Literal["installed", "partial", "absent"]
Source = Callable[[Entry, File, Path, Callable[[float], None]], None]
SOURCES: dict[str, Source] = {"hub": sources.from_hub, "index": sources.from_index}


@dataclass(frozen=True, slots=True)
class Weights:
    """Verified weights on disk."""

    entry: Entry
    folder: Path

    @property
    def main(self) -> Path:
        """The largest file: the model itself."""
        return self.folder / max(self.entry.files, key=lambda file: file.size).name


def state(entry: Entry, settings: Settings) -> State:
    """Whether the weights are there, by names and sizes; cheap."""
    folder = weights_path(settings) / entry.name
    if all(_sized(folder / f.name, f.size) for f in entry.files):
        return "installed"
    return "partial" if _partial(folder).is_dir() or folder.is_dir() else "absent"


def ensure(entry: Entry, settings: Settings, progress: Progress | None = None) -> Weights:
    """The weights, pulled if they are not there; raises WeightsError when offline or in vain."""
    folder = weights_path(settings) / entry.name
    if state(entry, settings) == "installed":
        return Weights(entry, folder)
    if settings.weights.offline:
        raise WeightsError(
            f"the weights {entry.name} are not in {weights_path(settings)} and silvr is offline",
            f"silvr models pull {entry.name}",
        )
    return pull(entry, settings, progress)


def pull(entry: Entry, settings: Settings, progress: Progress | None = None) -> Weights:
    """Fetch, verify and put in place; a pull that was cut short goes on where it was.

    Raises WeightsError in one sentence: no source answers, a wrong hash, no space.
    """
    folder = weights_path(settings) / entry.name
    partial = _partial(folder)
    # Not beside the weights, and never deleted: whoever waits must wait for the same file.
    lock = weights_path(settings) / ".locks" / f"{entry.name}.lock"
    with _explained(entry, folder), _alone(lock):
        if state(entry, settings) == "installed":
            return Weights(entry, folder)
        partial.mkdir(parents=True, exist_ok=True)
        done = 0
        for file in entry.files:
            _fetch(entry, file, partial, settings, _reporter(progress, entry, done))
            done += file.size
        for leftover in set(partial.iterdir()) - {partial / f.name for f in entry.files}:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial.rename(folder)
    return Weights(entry, folder)


def remove(entry: Entry, settings: Settings) -> bool:
    """Delete the weights and what was pulled of them; False when there was nothing."""
    folder = weights_path(settings) / entry.name
    there = [path for path in (folder, _partial(folder)) if path.exists()]
    for path in there:
        shutil.rmtree(path)
    return bool(there)


def verify(entry: Entry, settings: Settings) -> list[str]:
    """Names of the files whose bytes are not the publisher's; reads every byte."""
    folder = weights_path(settings) / entry.name
    return [f.name for f in entry.files if sha256(folder / f.name) != f.sha256]


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _fetch(
    entry: Entry, file: File, partial: Path, settings: Settings, report: Callable[[float], None]
) -> None:
    target = partial / file.name
    if _sized(target, file.size) and sha256(target) == file.sha256:
        return report(file.size)
    refusals = []
    for name in _order(entry, settings):
        try:
            SOURCES[name](entry, file, target, report)
        except WeightsError as error:
            refusals.append(error.message)
            continue
        got = sha256(target)
        if got == file.sha256:
            return report(file.size)
        target.unlink()
        refusals.append(f"from {name}, {file.name} has SHA-256 {got}, not {file.sha256}")
    raise WeightsError(
        f"{entry.name} cannot be pulled: {'; '.join(refusals)}",
        "check the network, or set SILVR_WEIGHTS to a folder that has it",
    )


def _order(entry: Entry, settings: Settings) -> Sequence[str]:
    if settings.weights.source != "auto":
        return (settings.weights.source,)
    return ("hub", "index") if entry.hub else ("index",)


def _reporter(progress: Progress | None, entry: Entry, before: int) -> Callable[[float], None]:
    def report(done: float) -> None:
        if progress:
            progress(entry.name, before + done, entry.size)

    return report


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One pull of these weights at a time, also between processes; the kernel frees the dead's."""
    from filelock import FileLock

    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        yield


@contextmanager
def _explained(entry: Entry, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = "the disk is full" if error.errno == errno.ENOSPC else (error.strerror or str(error))
        raise WeightsError(
            f"{entry.name} cannot be put into {folder.parent}: {what}",
            "choose another folder with SILVR_WEIGHTS",
        ) from error


def _partial(folder: Path) -> Path:
    return folder.with_name(folder.name + ".partial")


def _sized(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
