"""Cuts a span out of a video into a file of its own: packets as they are, or encoded anew.

Copied pictures begin at the keyframe before the span, and what was really cut is told. The file
appears whole or not at all, and no file is overwritten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..legible import legible
from ..records import Moment, Video
from ..rights import rights
from .encoding import encode
from .probe import opened, origin, picture_stream
from .remux import copies, told

TINY = 0.002
# Seconds: what is shorter may hold neither a picture nor a packet of sound.
SHORTEST = 0.5
# Bytes of the video's name in a clip's: file systems end names at 255 of them, some sooner.
LONGEST = 160
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A file cut out of a video: `start` and `end` are the seconds of the video that it holds."""

    path: str
    start: float
    end: float
    encoded: bool


def cut_out(
    video: Video, moments: Sequence[Moment], folder: Path, exact: bool, tell: Tell
) -> tuple[Excerpt, ...]:
    """A file in `folder` for each moment, or none; named so that files sort as the moments do.

    Raises UsageError when a file of such a name is there or none can be written, InputError when
    the video cannot be read.
    """
    if video.path is None:
        raise UsageError("clips need the video file", "name it before the query")
    source = Path(video.path)
    width = len(str(len(moments)))
    names = [f"{_short(source.stem)}-{n:0{width}d}-{_span(m)}" for n, m in enumerate(moments, 1)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = [p.name for p in sorted(folder.iterdir()) if p.stem in names]
    except OSError as error:
        raise _unwritable(folder, error) from error
    if there:
        raise UsageError(
            f"{folder} already has {', '.join(there)}", "remove them or choose another --clip-out"
        )
    made: list[Excerpt] = []
    try:
        for name, moment in zip(names, moments, strict=True):
            span = _cuttable(moment, video.duration)
            made.append(_cut(video, folder / name, span, exact, tell))
            if span[0] - made[-1].start > TINY:
                tell(
                    f"{Path(made[-1].path).name} begins {span[0] - made[-1].start:.1f} s early, at "
                    "the keyframe before (--exact encodes anew)"
                )
    except BaseException:
        # The same command again would find them in its way.
        for excerpt in made:
            Path(excerpt.path).unlink(missing_ok=True)
        raise
    return tuple(made)


def _cuttable(moment: Moment, duration: float) -> tuple[float, float]:
    """The moment's span, else the nearest one that is in the video and long enough.

    A subtitle may have no length, or stand behind the end.
    """
    start = max(0.0, min(moment.start, duration - SHORTEST))
    return start, max(min(moment.end, duration), start + SHORTEST)


def _short(stem: str) -> str:
    return legible(stem).encode()[:LONGEST].decode("utf-8", "ignore")


def _span(moment: Moment) -> str:
    return "-".join(_name(seconds) for seconds in (moment.start, moment.end))


def _name(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}.{whole % 3600 // 60:02d}.{whole % 60:02d}"


def _cut(video: Video, base: Path, span: tuple[float, float], exact: bool, tell: Tell) -> Excerpt:
    """Copied into the own container, else into Matroska; encoded when nothing else works."""
    source = Path(str(video.path))
    if not exact:
        own = source.suffix.lower()
        # A FLAC file's header is copied with the number of samples that the whole file has.
        for ending in dict.fromkeys((own if own not in ("", ".flac") else ".mkv", ".mkv")):
            target = base.with_name(base.name + ending)
            try:
                held = _written(target, lambda made: _copied(source, made, span))
            except UsageError as error:
                tell(f"{target.name}: {error.message}")
                continue
            return Excerpt(str(target), *held, False)
        tell(f"{base.name} is encoded anew: its streams cannot be copied")
    target = base.with_name(f"{base.name}.{'mp4' if video.picture else 'm4a'}")
    return Excerpt(str(target), *_written(target, lambda made: encode(video, made, span)), True)


def _written(target: Path, write: Callable[[Path], tuple[float, float]]) -> tuple[float, float]:
    """Write under another name, then take the target's, which must be free."""
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".clip.", suffix=target.suffix)
    except OSError as error:
        raise _unwritable(target, error) from error
    os.close(handle)
    try:
        held = write(Path(name))
        # Some mounts know no rights; the clip is as good.
        with suppress(OSError):
            os.chmod(name, rights(target))
        try:
            _take(name, target)
        except FileExistsError as error:
            raise UsageError(f"{target} is there already", "choose another --clip-out") from error
        except OSError as error:
            raise _unwritable(target, error) from error
    finally:
        Path(name).unlink(missing_ok=True)
    return held


def _take(name: str, target: Path) -> None:
    """By a link, because it fails where a rename would overwrite."""
    try:
        os.link(name, target)
    except FileExistsError:
        raise
    except OSError:
        # FAT and some network mounts have no links: an empty file holds the name until the rename.
        os.close(os.open(target, os.O_CREAT | os.O_EXCL))
        try:
            os.replace(name, target)
        except BaseException:
            os.unlink(target)
            raise


def _unwritable(target: Path, error: OSError) -> UsageError:
    return UsageError(f"{target} cannot be written: {error.strerror}", "choose another --clip-out")


def _copied(source: Path, made: Path, span: tuple[float, float]) -> tuple[float, float]:
    """Copy, and look at the first picture: some files' keyframes rest on what came before."""
    import av

    held = _copy(source, made, span)
    with opened(made) as container:
        stream = picture_stream(container)
        try:
            first = next(container.decode(stream), None) if stream else None
        except av.FFmpegError as error:
            raise UsageError(f"the copy cannot be decoded: {told(error)}") from error
        if stream and (first is None or first.is_corrupt):
            raise UsageError("the copy's first picture is broken without those before it")
    return held


def _copy(source: Path, made: Path, span: tuple[float, float]) -> tuple[float, float]:
    """Copy the packets of a span, from the keyframe before it; what the copy really holds."""
    import av

    start, end = span
    begin = _keyframe(source, start)
    with opened(source) as into:
        first = origin(into)
        _to(into, begin + first)
        try:
            with av.open(f"file:{made.absolute()}", "w") as out:
                streams, _ = copies(into, out)
                if not streams:
                    raise UsageError(f"a {made.suffix} file can hold none of its streams")
                held = begin
                for packet, time in _packets(into, streams, (begin, end), first):
                    ticks = round((begin + first) / packet.time_base)
                    packet.pts = None if packet.pts is None else packet.pts - ticks
                    packet.dts = None if packet.dts is None else packet.dts - ticks
                    if packet.stream.type != "subtitle":
                        held = max(held, time + float((packet.duration or 0) * packet.time_base))
                    packet.stream = streams[packet.stream]
                    out.mux(packet)
        except (av.FFmpegError, ValueError) as error:
            raise UsageError(f"cannot be copied as {made.suffix}: {told(error)}") from error
    if held <= start:
        raise UsageError(f"there is nothing to copy from {start:.1f} to {end:.1f} s")
    return begin, held


def _keyframe(source: Path, start: float) -> float:
    """The time of the last keyframe that stands at `start` or before it, in seconds.

    By the file's index where a seek leads there, else by reading all packets.
    """
    for seeks in (True, False):
        with opened(source) as container:
            stream = picture_stream(container)
            if stream is None:
                return start
            first, best = origin(container), None
            if seeks and not _to(container, start + first):
                continue
            for packet in container.demux(stream):
                if packet.pts is None or not packet.is_keyframe:
                    continue
                time = float(packet.pts * packet.time_base) - first
                if time > start + TINY:
                    break
                best = time
            if best is not None:
                return max(0.0, best)
    return 0.0


def _to(container: Any, time: float) -> bool:
    """Seek to the keyframe before `time` (seconds of the container); whether that worked."""
    import av

    try:
        container.seek(max(0, int(time * 1_000_000)), backward=True)
    except av.FFmpegError:
        container.seek(0, any_frame=True)
        return False
    return True


def _packets(
    into: Any, streams: dict[Any, Any], span: tuple[float, float], first: float
) -> Iterator[tuple[Any, float]]:
    """The span's packets in the file's order, with their times.

    Pictures that come before the keyframe in time rest on others before it: they are left out.
    Of pictures, all are needed that are decoded before the end.
    """
    begin, end = span
    picture, going = picture_stream(into), {s for s in streams if s.type in ("video", "audio")}
    for packet in into.demux(list(streams)):
        stamp = packet.dts if packet.dts is not None else packet.pts
        if stamp is None or not going:
            continue
        shown = packet.pts if packet.pts is not None else stamp
        decoded, time = (float(t * packet.time_base) - first for t in (stamp, shown))
        if (decoded if packet.stream is picture else time) >= end:
            going.discard(packet.stream)
            if not going:
                return
        elif time >= begin - TINY:
            yield packet, time
