"""Speech through faster-whisper (CTranslate2): Whisper weights in a folder, Silero for voices.

Takes windows of sound and gives utterances; what a window is worth is judged here, because only
the model knows how sure it was.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BackendMissing, ModelError, UsageError
from ..protocols import SAMPLE_RATE, Window
from ..records import Line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..protocols import Samples
    from ..settings import Speech

WINDOW_SECONDS = 29.0  # Whisper hears 30 s at a time; a little room keeps the last word whole
JOIN_SECONDS = 2.0  # a shorter silence is cheaper inside a window than a window of its own
BATCH = 4  # windows decoded together in batched mode
BATCH_JOIN_SECONDS = 60.0  # a batch skips the silence between its windows
MIN_VOICE_MS, SILENCE_MS, PAD_MS = 200, 500, 400
TAIL_SECONDS = 0.6
# As many as Whisper's authors take of a full window, fewer of a short one: what a loop may cost.
MAX_TOKENS, LEAST_TOKENS, TOKENS_PER_SECOND = 224, 32, 15

# Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 4.5.
LOG_PROBABILITY = -1.0
COMPRESSION = 2.4
NO_SPEECH = 0.6
UNSURE = -0.7  # where a window in another language than the rest begins to show
LOOP = -10.0
# Hums and jingles come out a little surer than the paper's limit for what is no speech.
NO_SPEECH_LOG_PROBABILITY = -0.5
LANGUAGE_PROBABILITY = 0.5
OTHER_LANGUAGE_PROBABILITY = 0.8
VOICED, VOICE_STEP = 0.35, 512

UTTERANCE_SECONDS = 12.0
PAUSE_SECONDS = 1.2
SENTENCE_END = re.compile(r"[.!?。！？…]['\"”’)\]]?$")
CLAUSE_END = re.compile(r"[,;:，、；：]$")
ABBREVIATION = re.compile(r"^(?:(?:[A-Za-z]\.)+|Mr\.|Mrs\.|Ms\.|Dr\.|St\.|Prof\.|vs\.)$")


class FasterWhisper:
    """A SpeechModel; `folder` is asked for when the first sound comes. Safe across threads.

    Calls raise ModelError when the folder holds no usable model, UsageError for a language that
    it does not know. In batched mode windows are up to BATCH times as long.
    """

    slots = 1

    def __init__(
        self, name: str, digest: str, folder: Callable[[], Path], settings: Speech
    ) -> None:
        self.name, self.digest, self.settings = name, digest, settings
        self._folder, self._model, self._lock = folder, None, threading.RLock()

    def fingerprint(self) -> str:
        return f"{self.name}@{self.digest}"

    def windows(self, sound: Samples) -> Sequence[Window]:
        """Stretches with a voice, joined up to about 30 seconds and cut where it is silent."""
        voiced = _voiced_stretches(sound)
        if self.settings.batched:
            return _joined(voiced, WINDOW_SECONDS * BATCH, BATCH_JOIN_SECONDS)
        return voiced

    def detect_language(self, sound: Samples) -> str:
        """The likeliest language's code; English when Whisper is not sure of any."""
        language, probability = self._language(sound)
        return language if probability >= LANGUAGE_PROBABILITY else "en"

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        """Utterances of one window, without what Whisper seems to have made up."""
        voices = _voices(sound)
        if not (voices >= VOICED).any():
            return ()
        with self._lock:
            self._check_language(language)
            decode = self._batched if self.settings.batched else self._careful
            segments = decode(sound, language)
        trusted = [segment for segment in segments if _trusted(segment, voices)]
        limit = len(sound) / SAMPLE_RATE
        return tuple(self._utterance(group, limit) for group in grouped(_words(trusted)))

    def _utterance(self, words: Sequence[Word], limit: float) -> Line:
        text = "".join(word.text for word in words).strip()
        end = min(limit, words[-1].end)
        return Line(max(0.0, min(words[0].start, end)), end, "speech", text, None, self.name)

    def _careful(self, sound: Samples, language: str | None) -> list[Any]:
        """Decode; what comes out unsure is tried in the language it seems to be in, then wider.

        Whisper's authors fall back to sampling; a search gives the same text every time.
        """
        model, beam = self._loaded(), self.settings.beam_size
        best = self._decode(model, sound, language, beam_size=beam)
        if self.settings.language is None and _sureness(best) < UNSURE:
            other, probability = self._language(sound)
            if other != language and probability >= OTHER_LANGUAGE_PROBABILITY:
                best = max(best, self._decode(model, sound, other, beam_size=beam), key=_sureness)
        if _sureness(best) < LOG_PROBABILITY:
            wide = self._decode(
                model,
                sound,
                language,
                beam_size=max(5, beam),
                repetition_penalty=1.1,
                no_repeat_ngram_size=4,
            )
            best = max(best, wide, key=_sureness)
        return best

    def _batched(self, sound: Samples, language: str | None) -> list[Any]:
        from faster_whisper import BatchedInferencePipeline

        windows = [{"start": w.start, "end": w.end} for w in _voiced_stretches(sound)]
        if not windows:
            return []
        return self._decode(
            BatchedInferencePipeline(self._loaded()),
            sound,
            language,
            beam_size=self.settings.beam_size,
            batch_size=BATCH,
            clip_timestamps=windows,
            vad_filter=False,
        )

    def _decode(
        self, model: Any, sound: Samples, language: str | None, **options: Any
    ) -> list[Any]:
        duration = len(sound) / SAMPLE_RATE
        segments, _ = model.transcribe(
            sound,
            language=language,
            temperature=[0.0],
            condition_on_previous_text=False,
            word_timestamps=True,
            max_new_tokens=min(MAX_TOKENS, LEAST_TOKENS + int(TOKENS_PER_SECOND * duration)),
            # Judged in `_failed` and `_trusted`, which see both tries.
            no_speech_threshold=None,
            log_prob_threshold=None,
            compression_ratio_threshold=None,
            **options,
        )
        return _without_tail(segments, duration)

    def _language(self, sound: Samples) -> tuple[str, float]:
        with self._lock:
            language, probability, _ = self._loaded().detect_language(
                sound[: 30 * SAMPLE_RATE], language_detection_threshold=0.0
            )
        return str(language), float(probability)

    def _check_language(self, language: str | None) -> None:
        if language is not None and language not in self._loaded().supported_languages:
            raise UsageError(
                f"{self.name} does not know the language '{language}'",
                "give an ISO 639-1 code such as en",
            )

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from faster_whisper import WhisperModel
            except ImportError as error:
                raise BackendMissing(
                    "the package faster-whisper is missing", "pip install faster-whisper"
                ) from error
            folder = str(self._folder())
            try:
                self._model = WhisperModel(
                    folder,
                    device="auto",
                    compute_type=_precision(),
                    cpu_threads=min(4, os.cpu_count() or 2),
                    local_files_only=True,
                )
            except (RuntimeError, ValueError, OSError) as error:
                raise ModelError(f"{self.name} in {folder} cannot be loaded: {error}") from error
        return self._model


@dataclass(frozen=True, slots=True)
class Word:
    start: float
    end: float
    text: str


def grouped(words: Iterable[Word]) -> list[list[Word]]:
    """Words as utterances: a sentence, a stretch between pauses, parts of 12 seconds at most."""
    groups: list[list[Word]] = []
    for word in words:
        if not groups or _ends(groups[-1][-1], word):
            groups.append([])
        groups[-1].append(word)
    return [part for group in groups for part in _shortened(group)]


def _ends(last: Word, following: Word) -> bool:
    text = last.text.strip()
    finished = SENTENCE_END.search(text) and not ABBREVIATION.match(text)
    return bool(finished) or following.start - last.end >= PAUSE_SECONDS


def _shortened(words: list[Word]) -> list[list[Word]]:
    """Cut at the clause end or pause nearest the middle until nothing is too long."""
    length = words[-1].end - words[0].start
    if length <= UTTERANCE_SECONDS or len(words) < 2:
        return [words]
    middle = words[0].start + length / 2

    def fitness(i: int) -> float:
        before = words[i - 1]
        clause = 1.0 if CLAUSE_END.search(before.text.strip()) else 0.0
        off_middle = 2 * abs(before.end - middle) / length
        return clause + words[i].start - before.end - off_middle

    cut = max(range(1, len(words)), key=fitness)
    return _shortened(words[:cut]) + _shortened(words[cut:])


def _words(segments: Iterable[Any]) -> list[Word]:
    """Words in order of time; a segment that could not be aligned stays whole."""
    words: list[Word] = []
    for segment in segments:
        found = [Word(float(w.start), float(w.end), w.word) for w in segment.words or ()]
        words += found or [Word(float(segment.start), float(segment.end), segment.text)]
    return words


def _failed(segment: Any) -> bool:
    """Improbable, or as easy to compress as a loop."""
    return bool(segment.avg_logprob < LOG_PROBABILITY or segment.compression_ratio > COMPRESSION)


def _trusted(segment: Any, voices: NDArray[np.float32]) -> bool:
    """Whether somebody said it: text over noise is unsure, loops, or stands where no voice is."""
    unheard = segment.no_speech_prob > NO_SPEECH and segment.avg_logprob < NO_SPEECH_LOG_PROBABILITY
    if _failed(segment) or unheard or not any(c.isalnum() for c in segment.text):
        return False
    first = int(segment.start * SAMPLE_RATE / VOICE_STEP)
    last = int(segment.end * SAMPLE_RATE / VOICE_STEP) + 1
    part = voices[first:last]
    return bool((part >= VOICED).any())


def _sureness(segments: Sequence[Any]) -> float:
    """The mean log-probability, each segment by its length; a loop counts as impossible."""
    letters = sum(len(segment.text) for segment in segments)
    if not letters:
        return LOG_PROBABILITY
    sure = (LOOP if s.compression_ratio > COMPRESSION else s.avg_logprob for s in segments)
    return sum(p * len(s.text) for p, s in zip(sure, segments, strict=True)) / letters


def _without_tail(segments: Iterable[Any], duration: float) -> list[Any]:
    """Stops before the last moment is decoded by itself: it holds padding, and costs a window."""
    kept: list[Any] = []
    for segment in segments:
        kept.append(segment)
        if segment.end >= duration - TAIL_SECONDS:
            break
    return kept


def _voiced_stretches(sound: Samples) -> list[Window]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(
        threshold=0.5,
        min_speech_duration_ms=MIN_VOICE_MS,
        max_speech_duration_s=WINDOW_SECONDS,
        min_silence_duration_ms=SILENCE_MS,
        speech_pad_ms=PAD_MS,
    )
    voices = get_speech_timestamps(sound, options) if len(sound) else []
    windows = [Window(v["start"] / SAMPLE_RATE, v["end"] / SAMPLE_RATE) for v in voices]
    return _joined(windows, WINDOW_SECONDS, JOIN_SECONDS)


def _joined(windows: Iterable[Window], longest: float, gap: float) -> list[Window]:
    joined: list[Window] = []
    for window in windows:
        last = joined[-1] if joined else None
        if last and window.end - last.start <= longest and window.start - last.end < gap:
            joined[-1] = Window(last.start, window.end)
        else:
            joined.append(window)
    return joined


def _voices(sound: Samples) -> NDArray[np.float32]:
    """float32[n]: how much every VOICE_STEP samples sound like a voice, 0 to 1."""
    import numpy as np
    from faster_whisper.vad import get_vad_model

    if not sound.any():  # digital silence needs no model
        return np.zeros(1, np.float32)
    padded = np.pad(sound, (0, -len(sound) % VOICE_STEP))
    return np.asarray(get_vad_model()(padded), np.float32).ravel()


def _precision() -> str:
    import ctranslate2

    return "float16" if ctranslate2.get_cuda_device_count() else "int8"
