"""From what the user named to a known video: a file on this disk, or one behind an address.

The one way in for every command and engine. A remote file is fetched only when something has to
look at it, and is gone when the work on it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .cache import addresses
from .errors import InputError
from .legible import legible
from .media.original import Original, stamp
from .records import Video
from .remote.addresses import key, name, place, shown
from .settings import spool_path

if TYPE_CHECKING:
    from .cache.store import Store
    from .remote.spool import Spool
    from .session import Session

__all__ = ["Input", "identify", "place", "taken"]

# What a playlist begins with: opening one opens whatever it points to, on this disk or elsewhere.
PLAYLISTS = (b"#extm3u", b"ffconcat", b"[playlist]", b"<mpd", b"<smil", b"<asx")


@dataclass(frozen=True, slots=True)
class Input:
    """A video that is known, and the file that it is read from."""

    video: Video
    original: Original
    spool: Spool | None = None

    def keep(self) -> None:
        """Leave a fetched file where it is, for the next one that takes it."""
        if self.spool:
            self.spool.kept = True


@contextmanager
def taken(named: Path | str, session: Session) -> Iterator[Input]:
    """The video behind a path, or behind an address (a str, as `place` tells them apart).

    Raises InputError when it cannot be reached or read as video, is too large, or changes.
    """
    found = place(named)
    if isinstance(found, Path):
        yield _on_disk(found, session.store)
        return
    from .remote.spool import Spool

    def report(done: float, total: float) -> None:
        if session.progress:
            session.progress("download", done, total)

    settings = session.settings
    with Spool(found, settings.remote, spool_path(settings), report) as spool:
        yield _behind(found, spool, session.store)


def identify(path: Path, store: Store) -> Video:
    """What is known of a file on this disk; raises InputError."""
    return _on_disk(path, store).video


def _on_disk(path: Path, store: Store) -> Input:
    """Probe a file, or remember it by path, size and time."""
    seen = stamp(path)
    original = Original(path, seen)
    known = store.video_id(path)
    video = _probed(path, known, store)
    if not known:
        original.check()
        store.remember_video(path, video, seen)
    return Input(video, original)


def _behind(address: str, spool: Spool, store: Store) -> Input:
    """The video behind an address; fetched unless the server still has what is known of it."""
    from .remote.opened import Unchanged

    met = addresses.met(store, key(address))
    try:
        path, version = spool.path(met.version if met else None)
    except Unchanged:
        known = store.video(met.video) if met else None
        if met is None or known is None:
            raise InputError(f"{shown(address)}: the server sends nothing") from None
        return Input(_as_named(known, address), Spooled(spool, met.video), spool)
    _no_playlist(path, address)
    video = _as_named(_probed(path, None, store), address)
    store.remember_video(None, video)
    addresses.remember(store, key(address), version, video.id)
    return Input(video, Original(path, stamp(path)), spool)


class Spooled(Original):
    """A remote file that is known already, and fetched only when it has to be looked at."""

    def __init__(self, spool: Spool, video: str) -> None:
        self._spool, self._video, self._checked = spool, video, False

    def path(self) -> Path:
        """Where the file lies; raises InputError when it is no longer the one that is known."""
        from .media.probe import content_id

        path, _ = self._spool.path()
        if not self._checked:
            if content_id(path) != self._video:
                raise InputError(
                    f"{shown(self._spool.address)} changed while it was read", "run again"
                )
            self._checked = True
        return path

    def check(self) -> None:
        """Nobody else writes to the spool."""


def _probed(path: Path, known: str | None, store: Store) -> Video:
    from .media.probe import content_id, probe

    video = store.video(known) if known else None
    if video is None:
        video = probe(path, known or content_id(path))
    return replace(video, name=legible(path.name), path=legible(str(path)))


def _as_named(video: Video, address: str) -> Video:
    return replace(video, name=name(address), path=shown(address))


def _no_playlist(path: Path, address: str) -> None:
    with path.open("rb") as file:
        head = file.read(1024)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(PLAYLISTS) or (text.startswith(b"<?xml") and b"<mpd" in text):
        raise InputError(
            f"{shown(address)} is a playlist of other files, not a video",
            "name the video file itself",
        )
