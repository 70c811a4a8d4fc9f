"""Writes chapters into a copy of a video: streams are copied packet by packet, never encoded again.

The copy appears whole or not at all; the original is only read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..records import Chapter
from .probe import opened, origin

MILLISECOND = Fraction(1, 1000)
# Half a second: containers round, and some keep whole frames only.
CLOSE = 0.5


def embed_chapters(source: Path, target: Path, chapters: Sequence[Chapter]) -> tuple[str, ...]:
    """Copy `source` to `target` with these chapters in place of any it has; notes on what is lost.

    Raises UsageError when the target is the source, cannot be written, or is of a kind that holds
    no chapters or not these streams; InputError when the source cannot be read.
    """
    check_target(source, target)
    with _beside(target) as made:
        notes = _copy(source, made, target, chapters)
        _check(made, target, chapters)
        os.chmod(made, source.stat().st_mode | 0o200)
        os.replace(made, os.path.realpath(target))
    return notes


def check_target(source: Path, target: Path) -> None:
    """Raise UsageError for a target that can be refused before there are chapters."""
    import av

    if target.is_dir():
        raise UsageError(f"{target} is a folder", "name a file for --embed")
    if target.exists() and target.samefile(source):
        raise UsageError(
            f"{target} is the video itself, which is never overwritten", "name another --embed file"
        )
    with _beside(target) as made:
        try:
            av.open(f"file:{made.absolute()}", "w").close()
        except (av.FFmpegError, ValueError) as error:
            raise _uncopied(source, target, error) from error


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new file to write, gone at the end unless it was renamed; refusals are UsageErrors.

    A link keeps pointing to its file, so it is in the folder of that.
    """
    folder = Path(os.path.realpath(target)).parent
    try:
        handle, name = tempfile.mkstemp(
            dir=folder, prefix=f".{target.stem[:40]}.", suffix=target.suffix
        )
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}", "choose another --embed file"
        ) from error


def _copy(source: Path, made: Path, target: Path, chapters: Sequence[Chapter]) -> tuple[str, ...]:
    import av

    with opened(source) as into:
        try:
            with av.open(f"file:{made.absolute()}", "w") as out:
                streams, notes = copies(into, out)
                if not streams:
                    raise UsageError(
                        f"{target.name} can hold none of {source.name}'s streams", _other(target)
                    )
                out.metadata.update(_metadata(into))
                out.set_chapters(_marks(chapters))
                first = origin(into)
                for packet in into.demux(list(streams)):
                    # The last packet of each stream is an empty one that ends it.
                    if packet.dts is not None or packet.size:
                        _shift(packet, first)
                        packet.stream = streams[packet.stream]
                        out.mux(packet)
        except (av.FFmpegError, ValueError) as error:
            raise _uncopied(source, target, error) from error
    return notes


def _uncopied(source: Path, target: Path, error: Exception) -> UsageError:
    return UsageError(
        f"{source.name} cannot be copied as {target.name}: {told(error)}", _other(target)
    )


def copies(into: Any, out: Any) -> tuple[dict[Any, Any], tuple[str, ...]]:
    """Each stream that the new container takes, with its copy there; what is left out is told."""
    streams, lost = {}, []
    for stream in into.streams:
        # QuickTime keeps chapters' titles in a stream of its own, which is written anew.
        if stream.type == "data" and stream.name == "bin_data":
            continue
        if stream.type not in ("video", "audio", "subtitle"):
            lost.append(f"stream {stream.index} ({stream.type}) is left out of the copy")
            continue
        try:
            # Opaque: the parameters are copied, no encoder is looked for.
            copy = out.add_stream_from_template(stream, opaque=True)
        except ValueError:
            if stream.type != "subtitle":
                raise
            name = f"subtitle, {stream.name}"
            lost.append(f"stream {stream.index} ({name}) does not fit the copy and is left out")
            continue
        copy.disposition = stream.disposition
        copy.metadata.update(stream.metadata)
        streams[stream] = copy
    return streams, tuple(lost)


def _metadata(into: Any) -> dict[str, str]:
    """The file's own tags, without those that name its old container."""
    old = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    return {key: value for key, value in into.metadata.items() if key.lower() not in old}


def _shift(packet: Any, first: float) -> None:
    """Let the copy begin at 0, as times in silvr do: broadcasts begin at any hour."""
    if first:
        ticks = round(first / packet.time_base)
        packet.pts = None if packet.pts is None else packet.pts - ticks
        packet.dts = None if packet.dts is None else packet.dts - ticks


def _marks(chapters: Sequence[Chapter]) -> list[dict[str, Any]]:
    return [
        {
            "id": number,
            "start": round(c.start * 1000),
            "end": round(c.end * 1000),
            "time_base": MILLISECOND,
            "metadata": {"title": c.title},
        }
        for number, c in enumerate(chapters, 1)
    ]


def _check(made: Path, target: Path, chapters: Sequence[Chapter]) -> None:
    """Read the copy back: many containers drop chapters without a word."""
    with opened(made) as container:
        found = [float(c["start"] * c["time_base"]) for c in container.chapters()]
    kept = len(found) == len(chapters) and all(
        abs(time - chapter.start) <= CLOSE for time, chapter in zip(found, chapters, strict=True)
    )
    if not kept:
        raise UsageError(
            f"{target.suffix or target} files cannot hold these chapters", _other(target)
        )


def _other(target: Path) -> str:
    endings = [ending for ending in (".mkv", ".mp4") if ending != target.suffix.lower()]
    return f"name it {' or '.join(target.stem + ending for ending in endings)}"


def told(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()
