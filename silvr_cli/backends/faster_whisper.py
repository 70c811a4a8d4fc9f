"""Speech by faster-whisper (CTranslate2): where somebody speaks, in which language, and what.

Takes a folder of verified weights and never pulls; knows nothing of videos, stages or the cache.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, WeightsError
from ..protocols import SAMPLE_RATE, Window
from ..records import Line

if TYPE_CHECKING:
    from ..protocols import Samples
    from ..settings import Speech

LONGEST = 29.0  # the model hears 30 s at a time; a little room keeps the last word whole
BATCH = 4  # windows decoded together in batched mode
MERGE_GAP = 2.0  # a shorter silence costs less inside a window than a window of its own
LONGEST_LINE = 12.0
PAUSE = 1.0  # a silence this long ends an utterance even without punctuation
LONGEST_WORD = 1.5  # alignment stretches a word over the silence beside it

# Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision", section 4.5
LOW_LOGPROB = -1.0
HIGH_COMPRESSION = 2.4
NO_SPEECH = 0.6
# the paper skips "no speech" only below LOW_LOGPROB; hums and jingles come out above it
NO_SPEECH_LOGPROB = -0.5
LEAST_VOICED = 0.25

SENTENCE_END = re.compile(r"[.?!…。？！]+[\"'”’)\]]*$")
CLAUSE_END = re.compile(r"[,;:，、；：]$")
ABBREVIATION = re.compile(r"^(?:[A-Za-z]\.)+$|^(?:Mr|Mrs|Ms|Dr|St|No|vs|Prof|Jr|Sr)\.$")


@dataclass(frozen=True, slots=True)
class Word:
    start: float
    end: float
    text: str


class FasterWhisper:
    """A SpeechModel over the weights in `folder`, loaded on first use; safe across threads.

    `digest` identifies the weights (their recorded SHA-256) and is all that `fingerprint` reads.
    Calls raise WeightsError when the folder holds no usable model, UsageError for a language
    that the model does not know.
    """

    slots = 1

    def __init__(self, folder: Path, name: str, digest: str, settings: Speech) -> None:
        self.folder = folder
        self.name = name
        self.digest = digest
        self.settings = settings
        self._model: Any = None
        self._lock = threading.RLock()

    def fingerprint(self) -> str:
        return f"faster-whisper {self.name} {self.digest}"

    def windows(self, sound: Samples) -> Sequence[Window]:
        if not sound.any():  # digital silence is common and needs no model
            return ()
        from faster_whisper.vad import VadOptions, get_speech_timestamps

        options = VadOptions(
            threshold=0.5,
            min_speech_duration_ms=200,
            min_silence_duration_ms=500,
            speech_pad_ms=400,
            max_speech_duration_s=LONGEST,
        )
        found = [
            Window(piece["start"] / SAMPLE_RATE, piece["end"] / SAMPLE_RATE)
            for piece in get_speech_timestamps(sound, options)
        ]
        return merge(found, LONGEST * BATCH if self.settings.batched else LONGEST)

    def detect_language(self, sound: Samples) -> str:
        with self._lock:
            language, _, _ = self._loaded().detect_language(sound)
        return str(language)

    def transcribe(self, sound: Samples, language: str | None) -> Sequence[Line]:
        if not sound.any():
            return ()
        with self._lock:
            model = self._loaded()
            self._check_language(language)
            if self.settings.batched:
                segments = self._batched(model, sound, language)
            else:
                segments = self._careful(model, sound, language)
        voiced = _voiced(sound)
        kept = [s for s in segments if not invented(s) and voiced(s.start, s.end) >= LEAST_VOICED]
        duration = len(sound) / SAMPLE_RATE
        return [
            Line(max(0.0, start), min(end, duration), "speech", text, source=self.name)
            for start, end, text in utterances(_words(kept))
        ]

    def _careful(self, model: Any, sound: Samples, language: str | None) -> list[Any]:
        """Decode once; what looks invented is tried again with a wide beam that may not repeat.

        The paper falls back to sampling at a higher temperature; a search gives the same text
        each time.
        """
        segments = _decode(model, sound, language, beam_size=self.settings.beam_size)
        if not any(doubtful(segment) for segment in segments):
            return segments
        beam = max(5, self.settings.beam_size)
        again = _decode(
            model, sound, language, beam_size=beam, repetition_penalty=1.1, no_repeat_ngram_size=4
        )
        return max(segments, again, key=_trust)

    def _batched(self, model: Any, sound: Samples, language: str | None) -> list[Any]:
        from faster_whisper import BatchedInferencePipeline

        whole = self.windows(sound) or [Window(0.0, len(sound) / SAMPLE_RATE)]
        clips = [
            {"start": start, "end": min(start + LONGEST, window.end)}
            for window in whole
            for start in _steps(window.start, window.end)
        ]
        if len(whole) == 1 and whole[0].end - whole[0].start > LONGEST:
            clips = self._cut(sound)
        segments, _ = BatchedInferencePipeline(model).transcribe(
            sound,
            language=language,
            beam_size=self.settings.beam_size,
            batch_size=BATCH,
            clip_timestamps=clips,
            vad_filter=False,
            word_timestamps=True,
            condition_on_previous_text=False,
            temperature=[0.0],
        )
        return list(segments)
