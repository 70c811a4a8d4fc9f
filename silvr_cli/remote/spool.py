"""A remote file spooled to this disk: resumed where it broke off, within a size, and cleaned up.

In the spool's folder, under the address's key: `.part` what has arrived, `.whole` what is complete,
`.json` which version it is of. Whoever works on a file has a link of their own in a folder
`use-…`, so that processes share a download and none takes the file from under another.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError, UsageError
from ..records import Version
from ..settings import Remote
from .addresses import key, name, shown
from .opened import Interrupted, Moved, NoFile, Opened, Unchanged
from .web import SCHEMES, open_web

if TYPE_CHECKING:
    from filelock import FileLock

BLOCK = 1 << 18
# A server that sends less than this in the time of one timeout is taken for stuck.
CRAWL_BYTES = 1_000
DEAD_DAYS, YOUNG_SECONDS = 7, 60.0
# No video has this name: it begins with a dot.
ALIVE = ".alive"
LONGEST_WAIT = 60.0
# So often the folder is made again where others, leaving, remove it.
REMOVALS = 100
# What the disk or the folder refuses to every file alike.
REFUSALS = ("ENOSPC", "EDQUOT", "EROFS", "EACCES", "EPERM", "ENOTDIR", "EEXIST")
FOR_ALL = {getattr(errno, name) for name in REFUSALS if hasattr(errno, name)}
Report = Callable[[float, float], None]


class Spool:
    """One address, and the file that it is spooled to. Nothing is fetched before it is asked for.

    Leave it to keep no file, unless `kept` says that it will be wanted again soon; what an error
    interrupts stays for the next run to go on with.
    """

    def __init__(self, address: str, settings: Remote, folder: Path, report: Report) -> None:
        self.address, self.settings, self.folder, self.report = address, settings, folder, report
        stem = key(address)[:32]
        self.part, self.whole = folder / f"{stem}.part", folder / f"{stem}.whole"
        self.note, self.gate = folder / f"{stem}.json", folder / f"{stem}.lock"
        self.kept = False
        self._own: Path | None = None
        self._alive: FileLock
        self._version, self._told = Version(), (0.0, 1.0)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        read = self._own is not None
        if self._own:
            if self.kept:
                self._put_back(self._own)
            self._alive.release()
            shutil.rmtree(self._own.parent, ignore_errors=True)
            self._own = None
        self._forget(whole=read and not self.kept and (not kind or issubclass(kind, InputError)))
        with suppress(OSError):
            # Unless others are at work there; those about to begin make it again.
            self.folder.rmdir()

    def path(self, known: Version | None = None) -> tuple[Path, Version]:
        """The complete file and its version; fetched at most once.

        Raises Unchanged when the server still has `known`, InputError when it cannot be fetched,
        is too large or not a file; UsageError when there is no room for it, or for any other.
        """
        if self._own is None:
            try:
                tidy(self.folder)
                with self._locked():
                    self._version = self._fetched(known)
                    self._own = self._linked()
            except OSError as error:
                kind = UsageError if error.errno in FOR_ALL else InputError
                raise kind(
                    f"{shown(self.address)} cannot be spooled to {self.folder}:"
                    f" {error.strerror or error}",
                    "make room there, or set remote.path",
                ) from error
        return self._own, self._version

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process fetches; others wait for it, and can be stopped while they do."""
        lock, removals = None, 0
        while lock is None:
            try:
                lock = self._gate_lock()
            except (FileNotFoundError, FileExistsError):
                # The last one who left took the folder along, before or while it was made.
                removals += 1
                if removals > REMOVALS:
                    raise
        try:
            yield
        finally:
            lock.release()

    def _gate_lock(self) -> FileLock | None:
        """The lock, held: it keeps the folder in place. None when it is not to be had yet."""
        from filelock import FileLock, Timeout

        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.gate)
        try:
            lock.acquire(timeout=1)
        except Timeout:
            self.report(*self._told)
            return None
        if self.gate.exists():
            return lock
        # Its last holder has removed it: it keeps nobody else out.
        lock.release()
        return None

    def _put_back(self, own: Path) -> None:
        """Under its key again, if another one who took it has removed it from there."""
        with self._locked():
            if not self.whole.exists():
                self._link(own, self.whole)
                self._write_note(self._version)

    def _link(self, file: Path, to: Path) -> None:
        try:
            os.link(file, to)
        except OSError:
            # This disk knows no links.
            os.replace(file, to)

    def _write_note(self, version: Version) -> None:
        self.note.write_text(json.dumps(asdict(version)), "utf-8")

    def _forget(self, whole: bool) -> None:
        """Remove what nobody goes on with, unless somebody is just fetching or linking it."""
        from filelock import FileLock, Timeout

        if not self.gate.exists():
            return
        try:
            with FileLock(self.gate, timeout=0):
                if whole:
                    self.whole.unlink(missing_ok=True)
                if not self.whole.exists() and not self.part.exists():
                    self.note.unlink(missing_ok=True)
                    self.gate.unlink(missing_ok=True)
        except (Timeout, OSError):
            # The other one removes it; what cannot be removed goes with age.
            return

    def _linked(self) -> Path:
        from filelock import FileLock

        mine = self.folder / f"use-{uuid.uuid4().hex}"
        mine.mkdir()
        # Held as long as the file is in use, and let go of by the system if the process dies.
        self._alive = FileLock(mine / ALIVE, thread_local=False)
        self._alive.acquire()
        own = mine / name(self.address)
        self._link(self.whole, own)
        return own

    def _fetched(self, known: Version | None) -> Version:
        """Have the whole file on disk, trying again as often as the settings say."""
        tries, tried = self.settings.retries + 1, 0
        while True:
            tried += 1
            try:
                return self._tried(known)
            except Moved:
                self.part.unlink(missing_ok=True)
                if tried >= tries:
                    raise InputError(f"{shown(self.address)} changes all the time") from None
            except NoFile as page:
                return self._from_site(known, page)
            except Interrupted as broken:
                if tried >= tries:
                    raise InputError(
                        f"{broken}, {tried} times" if tried > 1 else str(broken), "try again later"
                    ) from broken
                self._pause(broken.wait if broken.wait is not None else min(2.0**tried, 8.0) / 2)

    def _tried(self, known: Version | None) -> Version:
        have = self._noted()
        if self.whole.exists() and have:
            try:
                opened = self._open(0, have)
            except Unchanged:
                return have
            self.whole.unlink()
        elif have and have.telling and self.part.exists():
            opened = self._open(self.part.stat().st_size, have)
        else:
            opened = self._open(0, known)
        try:
            self._copy(opened)
        finally:
            opened.close()
        os.replace(self.part, self.whole)
        return opened.version

    def _open(self, start: int, known: Version | None) -> Opened:
        if self.address.partition(":")[0].lower() not in SCHEMES:
            from .filesystems import open_stored

            return open_stored(self.address, self.settings, start, known)
        return open_web(self.address, self.settings, start, known)

    def _from_site(self, known: Version | None, page: NoFile) -> Version:
        """What the page shows, if it is of a video site and yt-dlp is here."""
        from . import sites

        hint = "name the video file itself" if page.page else "check the address"
        if not (self.settings.sites and sites.installed() and sites.known_site(self.address)):
            if page.page and not sites.installed():
                hint += f"; {sites.EXTRA}"
            raise InputError(str(page), hint) from page
        version = sites.fetch(self.address, self.settings, self.whole, known, self.report)
        self._write_note(version)
        return version

    def _copy(self, opened: Opened) -> None:
        """Append what comes to the part; raises Interrupted when it is not all of it."""
        total = opened.version.length
        limit = int(self.settings.max_gb * 1e9)
        self._within(total or 0, limit)
        self._write_note(opened.version)
        with self.part.open("r+b" if opened.start else "wb") as file:
            file.seek(opened.start)
            file.truncate()
            done, since, marked = opened.start, time.monotonic(), opened.start
            while block := opened.read(BLOCK):
                file.write(block)
                done += len(block)
                self._within(done, limit)
                self._told = (done, total or done + 1)
                self.report(*self._told)
                if done - marked >= CRAWL_BYTES:
                    since, marked = time.monotonic(), done
                elif time.monotonic() - since > self.settings.timeout:
                    raise Interrupted("the server sends next to nothing")
        if total is None:
            self.report(done, done)
        if total is not None and done != total:
            raise Interrupted(f"{shown(self.address)} ends after {done} of {total} bytes")

    def _within(self, size: int, limit: int) -> None:
        if size > limit:
            self.part.unlink(missing_ok=True)
            raise InputError(
                f"{shown(self.address)} is larger than the limit of {self.settings.max_gb:g} GB",
                "raise --set remote.max_gb",
            )

    def _noted(self) -> Version | None:
        try:
            found = Version(**json.loads(self.note.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            # None, or half a note of a run that was killed: fetched from the start.
            return None
        return found

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + min(seconds, LONGEST_WAIT)
        while (left := until - time.monotonic()) > 0:
            self.report(*self._told)
            time.sleep(min(0.5, left))


def tidy(folder: Path, days: float = DEAD_DAYS) -> None:
    """Drop what killed runs have left: files in use by nobody alive, downloads so many days old."""
    from filelock import FileLock, Timeout

    now = time.time()
    try:
        there = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    for path in there:
        in_use = path.name.startswith("use-")
        lock = path / ALIVE if in_use else path.with_suffix(".lock")
        try:
            # A clock that jumps back only leaves things here for longer.
            if now - path.stat().st_mtime < (YOUNG_SECONDS if in_use else days * 86_400):
                continue
            with FileLock(lock, timeout=0):
                shutil.rmtree(path) if in_use else path.unlink()
        except (Timeout, OSError):
            # In use, or somebody else tidies, too.
            continue
