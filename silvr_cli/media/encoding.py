"""Encodes a span of a video anew, exact to the picture: H.264 and AAC, upright.

Decodes from the start and never by seeking, which some files answer with green frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from .probe import audio_stream, opened, origin, picture_stream

if TYPE_CHECKING:
    from ..records import Video

# Fine enough for any frame rate; pictures keep their own times.
TICKS = 90_000
QUALITY = {"crf": "20", "preset": "veryfast"}
# Pictures a second. The encoder lets the last one stand as long as the rate says that it is told,
# and with B-frames another one than is shown last.
SLOWEST = 5
SLOW = QUALITY | {"bf": "0"}


def encode(video: Video, made: Path, span: tuple[float, float]) -> tuple[float, float]:
    """Write the span to `made`; the seconds that it really holds.

    Raises UsageError when there is nothing in the span or it cannot be encoded.
    """
    import av

    start, end = span
    with opened(Path(str(video.path))) as into:
        picture, sound = picture_stream(into), audio_stream(into, None)
        if picture:
            picture.thread_type = "AUTO"
        try:
            with av.open(f"file:{made.absolute()}", "w") as out:
                seen = _Pictures(out, video, picture, end - start) if picture else None
                heard = _Sound(out, sound) if sound else None
                streams = [s for s in (picture, sound) if s]
                for time, frame in _frames(into, streams, end):
                    if not hasattr(frame, "samples"):
                        if seen:
                            seen.add(frame, time - start)
                    elif heard and start <= time < end:
                        heard.add(frame, time - start)
                begun = heard is not None and heard.next is not None
                if heard:
                    heard.finish()
                if seen:
                    seen.finish(begun)
                    begun = begun or seen.last >= 0
        except (av.FFmpegError, ValueError) as error:
            raise UsageError(f"{made.suffix} cannot be encoded: {error}") from error
    if not begun:
        raise UsageError(f"there is nothing to encode from {start:.1f} to {end:.1f} s")
    return start, min(end, video.duration)


def _frames(into: Any, streams: list[Any], end: float) -> Iterator[tuple[float, Any]]:
    """(seconds, frame) in the order of the file, until every stream is past the end."""
    import av

    first, going = origin(into), set(streams)
    for packet in into.demux(streams):
        try:
            frames = packet.decode()
        except av.FFmpegError:
            # Damage: what can be decoded is encoded.
            continue
        for frame in frames:
            if frame.pts is None:
                continue
            time = max(0.0, frame.time - first)
            if time >= end:
                going.discard(packet.stream)
            yield time, frame
        if not going:
            break
    for stream in streams:
        # Threads that still decode when the file is closed can wait for each other for ever.
        try:
            stream.codec_context.decode()
        except (av.FFmpegError, EOFError):
            continue


class _Pictures:
    """Upright pictures with even sides, at their own times.

    Each waits for the next one, which tells how long it stands: one from before the clip is its
    first picture if it still stands there.
    """

    def __init__(self, out: Any, video: Video, picture: Any, length: float) -> None:
        self.turns = (video.picture.rotation if video.picture else 0) // 90
        width, height = picture.codec_context.width, picture.codec_context.height
        if self.turns % 2:
            width, height = height, width
        given = picture.average_rate or picture.guessed_rate or 25
        rate = max(given, SLOWEST)
        self.out, self.last, self.length, self.step = out, -1, length, float(1 / rate)
        self.waiting: tuple[Any, float] | None = None
        self.stream = out.add_stream(
            "libx264", rate=rate, options=SLOW if given < SLOWEST else QUALITY
        )
        self.stream.width, self.stream.height = width // 2 * 2, height // 2 * 2
        self.stream.pix_fmt, self.stream.time_base = "yuv420p", Fraction(1, TICKS)
        self.stream.codec_context.time_base = Fraction(1, TICKS)
        aspect = picture.sample_aspect_ratio
        if aspect and not self.turns % 2:
            self.stream.codec_context.sample_aspect_ratio = aspect

    def add(self, frame: Any, at: float) -> None:
        self._show(at)
        self.waiting = (frame, at) if at < self.length else None

    def finish(self, more: bool) -> None:
        """No picture comes any more: the last one stands as long as its file says.

        Where that is not said, or there is `more` in the clip, it stands when the clip begins.
        """
        if self.waiting:
            frame, at = self.waiting
            lasts = float((frame.duration or 0) * frame.time_base)
            self._show(max(at + lasts, 0.0 if lasts and not more else self.step))
        self.out.mux(self.stream.encode(None))

    def _show(self, until: float) -> None:
        """Write the picture that waits, unless its time was up before the clip began.

        Where it stands to the clip's end it is written there too, or the clip would be too short.
        """
        if self.waiting and round(until * TICKS) > 0:
            frame, at = self.waiting
            self._write(frame, max(0.0, at))
            if until >= self.length > max(0.0, at) + 1.5 * self.step:
                self._write(frame, self.length - self.step)

    def _write(self, frame: Any, at: float) -> None:
        import av

        ticks = round(at * TICKS)
        if ticks <= self.last:
            return
        self.last = ticks
        if self.turns:
            turned = np.rot90(frame.to_ndarray(format="rgb24"), self.turns)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(turned), format="rgb24")
        new = frame.reformat(self.stream.width, self.stream.height, "yuv420p")
        new.pts, new.time_base, new.pict_type = ticks, Fraction(1, TICKS), 0
        self.out.mux(self.stream.encode(new))


class _Sound:
    """Sound in one format, sample after sample from where the first one stands."""

    def __init__(self, out: Any, sound: Any) -> None:
        import av

        rate = sound.codec_context.sample_rate
        self.rate = rate if rate in (16_000, 22_050, 32_000, 44_100, 48_000) else 48_000
        layout = "mono" if sound.codec_context.channels == 1 else "stereo"
        self.out, self.next = out, None
        self.stream = out.add_stream("aac", rate=self.rate, layout=layout)
        self.resampler = av.AudioResampler("fltp", layout, self.rate)

    next: int | None

    def add(self, frame: Any, at: float) -> None:
        if self.next is None:
            self.next = round(at * self.rate)
        frame.pts = None
        for new in self.resampler.resample(frame):
            self._encode(new)

    def _encode(self, new: Any) -> None:
        new.pts, new.time_base = self.next, Fraction(1, self.rate)
        self.next = (self.next or 0) + new.samples
        self.out.mux(self.stream.encode(new))

    def finish(self) -> None:
        if self.next is not None:
            for new in self.resampler.resample(None):
                self._encode(new)
            self.out.mux(self.stream.encode(None))
