"""What a file holds, from its headers: picture, sound, subtitles, chapters, length.

Decodes one frame, for how it is turned; reads packets only when no header gives the length.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..records import Chapter, Picture, Track, Video
from .original import stamp, unreadable

STILL_SECONDS = 1.0
TEXT_CODECS = ("subrip", "srt", "mov_text", "ass", "ssa", "webvtt", "text")
BLOCK = 1 << 20
PRIMING_SECONDS = 0.2


def content_id(path: Path) -> str:
    """`sha256:` and the hash of the file's bytes; raises InputError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                digest.update(block)
    except OSError as error:
        raise unreadable(path, error) from error
    return f"sha256:{digest.hexdigest()}"


def probe(path: Path, content: str | None = None) -> Video:
    """Read the headers of a video or sound file.

    `content` is the file's content id when it is known already. Raises InputError in one sentence
    for whatever is not a readable video.
    """
    stamp(path)
    with opened(path) as container:
        audible = container.streams.audio
        video, audio = picture_stream(container), _known(audible)
        if video is None and not audio:
            if any(s.codec_context is None for s in (*container.streams.video, *audible)):
                raise InputError(f"{path.name} holds picture or sound in no known codec")
            raise InputError(f"{path.name} has neither picture nor sound", "is it the right file?")
        duration = _duration(path, container, video, audio)
        return Video(
            id=content or content_id(path),
            name=path.name,
            duration=duration,
            path=str(path),
            picture=_picture(container, video) if video else None,
            audio=_tracks(audio),
            subtitles=_tracks(s for s in container.streams.subtitles if s.name in TEXT_CODECS),
            chapters=_chapters(container),
            warnings=_warnings(container, duration, audio),
        )


def prepare() -> None:
    """Load the decoder's libraries ahead of the first file."""
    import av.logging  # noqa: F401


def opened(path: Path) -> Any:
    """The file as a PyAV container; raises InputError in one sentence."""
    import av
    import av.logging

    # Damage is counted and told once by whoever decodes; ffmpeg's own lines would flood stderr.
    av.logging.set_level(av.logging.PANIC)
    try:
        # `file:` keeps names such as "concat:x" or "%03d.mp4" from being taken for protocols.
        return av.open(f"file:{os.fspath(path.absolute())}", metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise InputError(f"{path.name} cannot be read as video: {_reason(path, error)}") from error


def picture_stream(container: Any) -> Any | None:
    """The video stream to watch: the default one, never cover art; None when there is none."""
    real = [s for s in _known(container.streams.video) if not _is_cover(s)]
    if not real:
        return None
    return max(real, key=lambda s: (_is_default(s), -s.index))


def audio_stream(container: Any, wanted: int | None) -> Any | None:
    """The audio stream with index `wanted`, else the default one, else the first."""
    streams = _known(container.streams.audio)
    if wanted is not None:
        found = [s for s in streams if s.index == wanted]
        if not found:
            have = ", ".join(str(s.index) for s in streams) or "none"
            raise InputError(f"there is no audio track {wanted}", f"tracks here: {have}")
        return found[0]
    return max(streams, key=lambda s: (_is_default(s), -s.index), default=None)


def origin(container: Any) -> float:
    """The moment that counts as second 0: the earliest first timestamp of the streams."""
    starts = [
        float(s.start_time * s.time_base)
        for s in (*container.streams.video, *container.streams.audio)
        if s.start_time is not None and not _is_cover(s)
    ]
    first = min(starts, default=0.0)
    # Codec priming puts a file's start some hundredths off 0; its subtitles still count from 0.
    return first if abs(first) > PRIMING_SECONDS else 0.0


def _reason(path: Path, error: Exception) -> str:
    """A cause that a person can act on, from the file's first bytes."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as unread:
        return str(unread.strerror)
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype html", b"<html")):
        return "it is an HTML page, probably a failed download"
    if not head.strip(b"\0"):
        return "it holds only zeros"
    if b"ftyp" in head[:16]:
        return "the file is incomplete (its index is missing); was the download cut off?"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head):
        return "it is a text file"
    return getattr(error, "strerror", None) or str(error)


def _known(streams: Iterable[Any]) -> list[Any]:
    """The streams that some decoder here understands."""
    return [stream for stream in streams if stream.codec_context is not None]


def _is_cover(stream: Any) -> bool:
    import av.stream

    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_default(stream: Any) -> bool:
    import av.stream

    return bool(stream.disposition & av.stream.Disposition.default)


def _picture(container: Any, stream: Any) -> Picture:
    width, height = stream.codec_context.width, stream.codec_context.height
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if aspect > 0:
        width = max(1, round(width * aspect))
    rotation = _rotation(container, stream)
    if rotation in (90, 270):
        width, height = height, width
    rate = stream.average_rate or stream.guessed_rate or 0
    return Picture(width, height, float(rate), stream.codec_context.name, rotation)


def _rotation(container: Any, stream: Any) -> int:
    """Degrees counter-clockwise by which frames must be turned to stand upright; 0 if unknown."""
    import av

    try:
        for frame in container.decode(stream):
            return int(round(frame.rotation / 90) * 90 % 360)
    except av.FFmpegError:
        # Damage at the start: the decoding pass tells the user; upright is the best guess.
        return 0
    return 0


def _tracks(streams: Iterable[Any]) -> tuple[Track, ...]:
    return tuple(
        Track(
            index=s.index,
            codec=s.codec_context.name if s.codec_context else s.name,
            language=s.metadata.get("language") or None,
            title=s.metadata.get("title") or None,
            default=_is_default(s),
        )
        for s in streams
    )


def _chapters(container: Any) -> tuple[Chapter, ...]:
    return tuple(
        Chapter(
            float(c["start"] * c["time_base"]),
            float(c["end"] * c["time_base"]),
            str(c["metadata"].get("title", "")),
        )
        for c in container.chapters()
    )


def _duration(path: Path, container: Any, video: Any | None, audio: list[Any]) -> float:
    """Seconds from the streams' own headers, else the container's, else by reading all packets.

    A container's figure counts subtitle tracks that outlast picture and sound.
    """
    if "image2" in container.format.name or container.format.name.endswith("_pipe"):
        return STILL_SECONDS
    chosen = [s for s in (video, *audio) if s is not None]
    start = origin(container)
    ends = [
        float((s.duration + (s.start_time or 0)) * s.time_base) - start
        for s in chosen
        if s.duration
    ]
    if ends and max(ends) > 0:
        return max(ends)
    if container.duration and len(ends) == len(chosen):
        return float(container.duration / 1e6)
    return _read_duration(path, {s.index for s in chosen}) or STILL_SECONDS


def _read_duration(path: Path, wanted: set[int]) -> float:
    import av

    end, start = 0.0, None
    with opened(path) as container:
        try:
            for packet in container.demux():
                if packet.stream.index in wanted and packet.pts is not None:
                    at = float(packet.pts * packet.time_base)
                    start = at if start is None else min(start, at)
                    end = max(end, at + float((packet.duration or 0) * packet.time_base))
        except av.FFmpegError:
            # A damaged tail ends the count; the decoding pass tells the user about it.
            return end - (start or 0.0)
    return end - (start or 0.0)


def _warnings(container: Any, duration: float, audio: list[Any]) -> tuple[str, ...]:
    notes = [
        f"track {s.index} ({s.type}) is in no known codec and is left out"
        for s in (*container.streams.video, *container.streams.audio)
        if s.codec_context is None
    ]
    claimed = float(container.duration or 0) / 1e6
    # A container's figure also counts subtitles that outlast picture and sound.
    if not container.streams.subtitles and duration < claimed - max(2.0, 0.1 * claimed):
        notes.append(f"the file ends at {duration:.1f} of its {claimed:.1f} seconds: it is cut off")
    if len(audio) > 1:
        chosen = max(audio, key=lambda s: (_is_default(s), -s.index))
        language = chosen.metadata.get("language", "of unknown language")
        notes.append(
            f"{len(audio)} audio tracks: taking the default, track {chosen.index} ({language});"
            " --set media.audio_track=N chooses another"
        )
    return tuple(notes)
