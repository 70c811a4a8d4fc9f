"""One decoding pass over a file: thumbnails, frames and sound for every stage at once.

Always from the start and never by seeking, which some files answer with green frames. Knows no
stage; whoever asks first runs the pass, everybody else waits for it.
"""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, UsageError
from ..protocols import SAMPLE_RATE
from ..settings import Media
from .footage import Footage, Sound
from .original import Original
from .probe import audio_stream, opened, origin, picture_stream

if TYPE_CHECKING:
    from ..records import Video
    from .pictures import FrameKeeper, ThumbKeeper

GAP_SECONDS = 0.1
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
REPORT_SECONDS = 5.0
MANY_FPS = 9.0
Report = Callable[[float, float], None]


class Projector:
    """Runs the pass at most once and keeps its yield on disk until it is closed.

    Without `sound`, the sound is not even decoded. `turn` is held while the pass runs; `original`
    is the video's own path if absent.
    """

    def __init__(
        self,
        video: Video,
        settings: Media,
        sound: bool = True,
        turn: AbstractContextManager[Any] | None = None,
        original: Original | None = None,
    ) -> None:
        self.video, self.settings, self.sound = video, settings, sound
        self.turn = turn or nullcontext()
        self.original = original or Original(Path(str(video.path)))
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._footage: Footage | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Projector:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._footage = None
            if self._folder:
                self._folder.cleanup()

    def footage(self, report: Report = lambda done, total: None) -> Footage:
        """The pass's yield; `report(done, total)` is told seconds and may raise to stop it.

        Raises InputError when nothing at all can be decoded, or the file changes meanwhile.
        """
        with self._lock:
            if self._footage is None:
                self._folder = self._folder or tempfile.TemporaryDirectory(
                    prefix="silvr-", ignore_cleanup_errors=True
                )
                folder = Path(self._folder.name)
                run = _Pass(self.video, self.settings, folder, self.sound)
                path = self.original.path()
                with self.turn, _room(folder):
                    footage = run.run(path, report)
                # Before any stage sees it: nothing of a file in flux may be stored.
                self.original.check()
                self._footage = footage
            return self._footage


@contextmanager
def _room(folder: Path) -> Iterator[None]:
    """A full disk is the user's to mend; anything else is told as it is."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise UsageError(
            f"{folder} cannot hold the video's frames: {error.strerror}",
            "make room there, or set TMPDIR",
        ) from error


# How many threads a decoder may take; None: what the environment says, else one a core.
_allowed: int | None = None


def limit_threads(count: int) -> None:
    """Let each decoder of this process take `count` threads: where many files are read at once,
    one a file wastes the least.
    """
    global _allowed
    _allowed = count


def _threads() -> int:
    told = os.environ.get("OMP_NUM_THREADS", "")
    return _allowed or (int(told) if told.isdigit() else 0)


class _Pass:
    """The state of one walk through the packets."""

    def __init__(self, video: Video, settings: Media, folder: Path, sound: bool) -> None:
        self.video, self.settings, self.folder, self.wants_sound = video, settings, folder, sound
        self.damaged, self.end = 0, 0.0

    def run(self, path: Path, report: Report) -> Footage:
        # Here, because a question about a cached video needs neither the pass nor numpy.
        from .pictures import FrameKeeper, ThumbKeeper

        with ExitStack() as closing, opened(path) as container:
            picture = picture_stream(container)
            audio = audio_stream(container, self.settings.audio_track) if self.wants_sound else None
            if picture:
                picture.thread_type = "AUTO"
                picture.codec_context.thread_count = _threads()
                if self.video.picture and self.video.picture.fps >= MANY_FPS:
                    # Pictures that no other rests on are a third of the work and never missed:
                    # what opens a scene is always one that others rest on.
                    picture.codec_context.skip_frame = "NONREF"
            thumbs = closing.enter_context(ThumbKeeper(self.folder))
            frames = closing.enter_context(FrameKeeper(self.folder, self.video, self.settings))
            sound = closing.enter_context(SoundKeeper(self.folder, self.video.duration))
            reported = 0.0
            streams = [stream for stream in (picture, audio) if stream]
            for time, frame in self._decoded(container, streams, origin(container)):
                if hasattr(frame, "samples"):
                    self.damaged += not sound.hear(time, frame)
                else:
                    thumbs.see(time, frame)
                    frames.see(time, frame)
                self.end = max(self.end, time)
                if time - reported >= REPORT_SECONDS:
                    reported = time
                    report(min(time, self.video.duration), self.video.duration)
            return self._yield(thumbs, frames, sound.finish())

    def _decoded(
        self, container: Any, streams: list[Any], zero: float
    ) -> Iterator[tuple[float, Any]]:
        """(seconds, frame) of all streams as they come; damage is counted and passed over."""
        import av

        packets = iter(container.demux(streams))
        while True:
            try:
                packet = next(packets)
                frames = packet.decode()
            except (StopIteration, av.EOFError):
                return
            except av.FFmpegError:
                self.damaged += 1
                if self.damaged > 100_000:
                    return
                continue
            for frame in frames:
                if frame.pts is not None:
                    yield max(0.0, frame.time - zero), frame
                elif not hasattr(frame, "samples"):
                    yield self.end, frame

    def _yield(self, thumbs: ThumbKeeper, frames: FrameKeeper, sound: Sound | None) -> Footage:
        kept, pictures = frames.finish(), thumbs.finish()
        if not len(pictures.times) and not (sound and len(sound.samples)):
            raise InputError(
                f"nothing in {self.video.name} can be decoded", "the file is damaged or incomplete"
            )
        duration = self.video.duration
        return Footage(duration, pictures, kept, sound, tuple(self._warnings(duration)))

    def _warnings(self, duration: float) -> Iterator[str]:
        if self.damaged:
            yield f"the file is damaged: {self.damaged} packets could not be decoded"
        if self.end < duration - max(2.0, 0.1 * duration):
            yield f"only {self.end:.1f} of {duration:.1f} seconds could be decoded"


class SoundKeeper:
    """Writes sound as 16 kHz mono, silence where the file has none, so that place tells time."""

    def __init__(self, folder: Path, duration: float) -> None:
        self.path, self.duration, self.written = folder / "sound.raw", duration, 0
        self.file = self.path.open("wb")
        self.resampler = _resampler()

    def __enter__(self) -> SoundKeeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def hear(self, time: float, frame: Any) -> bool:
        """Whether the frame could be converted; silence stands in the place of any other."""
        import av

        gap = min(time, self.duration) - self.written / SAMPLE_RATE
        if gap > GAP_SECONDS:
            self._drain()
            missing = round(min(time, self.duration) * SAMPLE_RATE) - self.written
            if missing > 0:
                self.file.seek(missing * 2, 1)
                self.written += missing
        frame.pts = None
        for _ in range(2):
            try:
                resampled = self.resampler.resample(frame)
            except (ValueError, av.FFmpegError):
                # The format changed in mid-stream: start again with the new one.
                self.resampler = _resampler()
            else:
                self._write(resampled)
                return True
        return False

    def _drain(self) -> None:
        self._write(self.resampler.resample(None))
        self.resampler = _resampler()

    def _write(self, frames: Any) -> None:
        for frame in frames:
            # The plane's buffer is padded: only its samples are written.
            self.file.write(memoryview(frame.planes[0])[: frame.samples * 2])
            self.written += frame.samples

    def finish(self) -> Sound | None:
        import numpy as np

        if self.written:
            self._drain()
        self.file.truncate(self.written * 2)
        self.file.close()
        if not self.written:
            return None
        return Sound(np.memmap(self.path, dtype=np.int16, mode="r"))


def _resampler() -> Any:
    import av

    return av.AudioResampler("s16", "mono", SAMPLE_RATE)
