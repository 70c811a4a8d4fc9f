"""One suite for every SpeechModel, and what faster-whisper makes of words and doubtful segments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from servers import Played, openai_routes, serving
from tiny_models import EXTRAS, whisper_checkpoint

from silvr_cli import backends
from silvr_cli.backends.faster_whisper import FasterWhisper
from silvr_cli.backends.openai_speech import OpenAiSpeech
from silvr_cli.backends.openai_whisper import OpenAiWhisper
from silvr_cli.backends.utterances import Word, grouped
from silvr_cli.configuration import load
from silvr_cli.errors import BackendMissing, ModelError, Refused, UsageError, WeightsError
from silvr_cli.media.footage import Sound
from silvr_cli.protocols import SAMPLE_RATE, SpeechModel
from silvr_cli.settings import Settings

MODELS = [
    "fake",
    "openai",
    pytest.param("whisper/base", marks=pytest.mark.models),
    pytest.param("openai-whisper", marks=pytest.mark.extras),
]
# openai-whisper's own, and numba's.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Iterator[SpeechModel]:
    if request.param == "openai":
        with serving(openai_routes()) as server, closing(hosted(server)) as model:
            yield model
    elif request.param == "openai-whisper":
        checkpoint = request.getfixturevalue("checkpoint")
        yield opened(f"openai-whisper/{checkpoint}")
    else:
        yield opened(request.param)


def hosted(server: Played) -> OpenAiSpeech:
    settings = load({"servers.base_url": f"{server.url}/v1"}).settings
    model = backends.speech_model("openai/whisper-1", settings)
    assert isinstance(model, OpenAiSpeech)
    return model


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Whisper that hears the same in every window."""
    return whisper_checkpoint(tmp_path_factory.mktemp("whisper") / "tiny.pt", " Gate seven. Go!")


@cache
def opened(spec: str, **speech: Any) -> SpeechModel:
    """Loading takes seconds: one model for all tests that want it alike."""
    options = {"beam_size": 1, **speech}
    settings = Settings.model_validate({"speech": options, "weights": load().settings.weights})
    return backends.speech_model(spec, settings)


@pytest.fixture
def kennedy(shared: Path) -> np.ndarray:
    return listened(shared / "media" / "jfk.flac").cut(0, 11)


@cache
def listened(path: Path) -> Sound:
    from silvr_cli.media.decode import Projector
    from silvr_cli.media.probe import probe
    from silvr_cli.settings import Media

    with Projector(probe(path), Media()) as projector:
        sound = projector.footage().sound
        assert sound is not None
        return Sound(np.array(sound.samples))


def test_it_has_a_name_slots_and_a_cheap_fingerprint(model: SpeechModel) -> None:
    assert model.name
    assert model.slots >= 1
    assert model.fingerprint() == model.fingerprint() != ""


def test_windows_are_in_order_within_the_sound_and_not_too_long(
    model: SpeechModel, kennedy: np.ndarray
) -> None:
    windows = model.windows(np.tile(kennedy, 5))
    assert windows
    assert all(0 <= w.start < w.end <= 5 * len(kennedy) / SAMPLE_RATE for w in windows)
    longest = 300 if model.name.startswith("openai/") else 30
    assert all(w.end - w.start <= longest for w in windows)
    assert all(a.end <= b.start for a, b in pairwise(windows))


def test_utterances_are_speech_in_order_within_the_window(
    model: SpeechModel, kennedy: np.ndarray
) -> None:
    lines = model.transcribe(kennedy, "en")
    assert lines
    assert {line.kind for line in lines} == {"speech"}
    assert all(line.source == model.name and line.text.strip() for line in lines)
    assert all(0 <= n.start <= n.end <= len(kennedy) / SAMPLE_RATE for n in lines)
    assert [n.start for n in lines] == sorted(n.start for n in lines)


def test_the_same_sound_gives_the_same_text(model: SpeechModel, kennedy: np.ndarray) -> None:
    assert model.transcribe(kennedy, "en") == model.transcribe(kennedy, "en")


def test_the_language_is_a_two_letter_code(model: SpeechModel, kennedy: np.ndarray) -> None:
    assert model.detect_language(kennedy) in ("en", None)


def test_no_sound_at_all_has_no_windows(model: SpeechModel) -> None:
    assert list(model.windows(np.zeros(0, np.float32))) == []


def test_hosted_speech_leaves_out_what_the_service_takes_for_noise() -> None:
    with serving(openai_routes()) as server, closing(hosted(server)) as model:
        lines = model.transcribe(np.zeros(4 * SAMPLE_RATE, np.float32), "en")
    assert [(n.start, n.end, n.text) for n in lines] == [
        (0.0, 2.0, "Ask not"),
        (2.0, 4.0, "what your country"),
    ]
    form = server.asked[0][1]["raw"]
    assert b'name="language"' in form
    assert b"verbose_json" in form


def test_long_sound_goes_to_a_service_in_stretches_cut_where_it_is_quiet() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 700 * SAMPLE_RATE).astype(np.float32)
    for quiet in (270, 520):
        sound[quiet * SAMPLE_RATE : (quiet + 1) * SAMPLE_RATE] = 0
    with serving(openai_routes()) as server, closing(hosted(server)) as model:
        cuts = [window.end for window in model.windows(sound)]
    assert cuts == [pytest.approx(270.5, abs=0.6), pytest.approx(520.5, abs=0.6), 700.0]


def test_a_service_that_gives_no_transcript_is_refused() -> None:
    routes = {"/v1/audio/transcriptions": [lambda request: request.reply({"oops": 1})]}
    with serving(routes) as server, closing(hosted(server)) as model:
        with pytest.raises(Refused, match="no transcript"):
            model.transcribe(np.zeros(SAMPLE_RATE, np.float32), None)


@pytest.fixture
def whisper() -> Callable[..., SpeechModel]:
    def make(**speech: Any) -> SpeechModel:
        return opened("whisper/base", **speech)

    return make


@pytest.mark.models
@pytest.mark.parametrize("level", [0.0, 0.01, 0.2])
def test_whisper_writes_nothing_over_silence_and_noise(whisper, level: float) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 12 * SAMPLE_RATE) * level
    assert list(whisper().transcribe(noise.astype(np.float32), "en")) == []


@pytest.mark.models
@pytest.mark.parametrize("name", ["mdn_voices_around_a_fire.mp3", "moviepy_bbb_0_30.webm"])
def test_whisper_writes_nothing_over_chatter_and_music(shared: Path, whisper, name: str) -> None:
    sound = listened(shared / "media" / name)
    model = whisper()
    windows = model.windows(sound.cut(0, sound.duration))
    assert [
        n.text for w in windows for n in model.transcribe(sound.cut(w.start, w.end), "en")
    ] == []


@pytest.mark.models
def test_whisper_hears_numbers_with_long_pauses(shared: Path, whisper) -> None:
    sound = listened(shared / "media" / "mdn_countdown.mp3")
    text = " ".join(n.text for n in whisper().transcribe(sound.cut(0, 19), "en"))
    assert [c for c in text if c.isdigit()] == list("9876543210")


@pytest.mark.models
def test_a_window_in_another_language_is_written_in_it(shared: Path, whisper) -> None:
    german = listened(shared / "media" / "fw_multilingual.mp3").cut(42, 50)
    detected = " ".join(n.text for n in whisper().transcribe(german, "en")).casefold()
    assert "software zu verwenden" in detected


@pytest.mark.models
def test_batched_mode_hears_the_same_words_in_longer_windows(shared: Path, whisper) -> None:
    licence = listened(shared / "media" / "fw_multilingual.mp3").cut(0, 41)
    model = whisper(batched=True)
    (window,) = model.windows(licence)
    assert window.end - window.start > 30
    text = " ".join(n.text for n in model.transcribe(licence, "en")).casefold()
    assert "free of charge" in text
    assert "substantial portions of the software" in text


@pytest.mark.models
def test_an_unknown_language_is_named(whisper, kennedy: np.ndarray) -> None:
    with pytest.raises(UsageError, match="does not know the language 'xx'"):
        whisper().transcribe(kennedy, "xx")


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    model = FasterWhisper("whisper/none", "0", lambda: tmp_path, load().settings.speech)
    with pytest.raises(ModelError, match=r"whisper/none .* cannot be loaded"):
        model.detect_language(np.zeros(SAMPLE_RATE, np.float32))


def test_the_fingerprint_asks_for_no_folder() -> None:
    def folder() -> Path:
        raise AssertionError("weights were asked for")

    model = FasterWhisper("whisper/base", "abc", folder, load().settings.speech)
    assert model.fingerprint() == "whisper/base@abc"
    assert list(model.windows(np.zeros(SAMPLE_RATE, np.float32))) == []
    assert list(model.transcribe(np.zeros(SAMPLE_RATE, np.float32), "en")) == []


@pytest.fixture
def openai_whisper(tmp_path: Path) -> Callable[..., OpenAiWhisper]:
    """openai_whisper(model, offline=False, **speech): nothing is loaded yet."""

    def make(model: object, offline: bool = False, **speech: Any) -> OpenAiWhisper:
        settings = Settings.model_validate({"speech": speech}).speech
        return OpenAiWhisper(f"openai-whisper/{model}", "abc", tmp_path, settings, offline=offline)

    return make


SECOND = np.zeros(SAMPLE_RATE, np.float32)


@pytest.mark.extras
@pytest.mark.parametrize("level", [0.0, 0.01, 0.2])
def test_what_openai_whisper_hears_in_silence_and_noise_is_not_told(
    openai_whisper, checkpoint: Path, level: float
) -> None:
    noise = np.random.default_rng(0).normal(0, 1, 6 * SAMPLE_RATE) * level
    assert list(openai_whisper(checkpoint).transcribe(noise.astype(np.float32), "en")) == []


@pytest.mark.extras
def test_openai_whisper_tells_what_it_hears_sentence_by_sentence(
    openai_whisper, checkpoint: Path, kennedy: np.ndarray
) -> None:
    model = openai_whisper(checkpoint)
    assert [n.text for n in model.transcribe(kennedy, None)] == ["Gate seven.", "Go!"]
    model.close()
    assert [n.text for n in model.transcribe(kennedy, "en")] == ["Gate seven.", "Go!"]


@pytest.mark.extras
def test_openai_whisper_names_a_language_that_it_does_not_know(
    openai_whisper, checkpoint: Path, kennedy: np.ndarray
) -> None:
    with pytest.raises(UsageError, match="does not know the language 'xx'"):
        openai_whisper(checkpoint).transcribe(kennedy, "xx")


@pytest.mark.extras
def test_openai_whisper_names_what_it_cannot_load(openai_whisper, tmp_path: Path) -> None:
    pytest.importorskip("whisper", reason=EXTRAS)
    (tmp_path / "bad.pt").write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match=r"bad\.pt cannot be loaded"):
        openai_whisper(tmp_path / "bad.pt").detect_language(SECOND)
    with pytest.raises(UsageError, match="no size 'huge'"):
        openai_whisper("huge").detect_language(SECOND)
    with pytest.raises(WeightsError, match="silvr is offline"):
        openai_whisper("base", offline=True).detect_language(SECOND)


@pytest.mark.extras
def test_openai_whisper_is_told_apart_by_its_checkpoint(tmp_path: Path) -> None:
    pytest.importorskip("whisper", reason=EXTRAS)
    prints = []
    for content in (b"one", b"other"):
        (tmp_path / "model.pt").write_bytes(content)
        prints.append(backends.fingerprint("speech", spec_of(tmp_path), load().settings))
    assert len(set(prints)) == 2


def spec_of(folder: Path) -> str:
    return f"openai-whisper/{folder / 'model.pt'}"


def test_openai_whisper_missing_names_its_extra(
    openai_whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "whisper", None)
    with pytest.raises(BackendMissing, match=r"pip install 'silvr\[whisper\]'"):
        openai_whisper("base").detect_language(SECOND)


@pytest.mark.parametrize("model", ["", "absent.pt"])
def test_openai_whisper_needs_a_size_or_a_file_that_is_there(model: str) -> None:
    with pytest.raises(UsageError):
        backends.speech_model(f"openai-whisper/{model}", load().settings)


def spoken(text: str, seconds: float = 0.4, start: float = 0.0) -> list[Word]:
    return [
        Word(start + i * seconds, start + (i + 1) * seconds, f" {word}")
        for i, word in enumerate(text.split())
    ]


def texts(words: list[Word]) -> list[str]:
    return ["".join(word.text for word in group).strip() for group in grouped(words)]


def test_utterances_end_with_sentences_but_not_with_initials() -> None:
    assert texts(spoken("Dr. J. Smith paid 3.5 dollars. Nobody asked!")) == [
        "Dr. J. Smith paid 3.5 dollars.",
        "Nobody asked!",
    ]


def test_a_long_pause_ends_an_utterance() -> None:
    assert texts(spoken("gate seven") + spoken("gate eight", start=5)) == [
        "gate seven",
        "gate eight",
    ]


def test_a_long_sentence_is_cut_at_a_clause_and_no_word_is_lost() -> None:
    text = " ".join(["one"] * 15) + " two, " + " ".join(["three"] * 18)
    parts = texts(spoken(text, seconds=0.5))
    assert parts[0].endswith("two,")
    assert " ".join(parts) == text
    assert all(len(part.split()) * 0.5 <= 12 for part in parts)


class Scripted:
    """Stands in for WhisperModel: each call to transcribe gives the next list of segments."""

    supported_languages = ("en", "de")

    def __init__(self, *replies: list[Any], language: tuple[str, float] = ("en", 1.0)) -> None:
        self.replies, self.language = list(replies), language
        self.asked: list[tuple[str | None, int]] = []

    def transcribe(self, sound: Any, language: str | None, beam_size: int, **_: Any) -> Any:
        self.asked.append((language, beam_size))
        return iter(self.replies.pop(0)), None

    def detect_language(self, sound: Any, **_: Any) -> tuple[str, float, None]:
        return (*self.language, None)


def segment(text: str, logprob: float = -0.2, **more: Any) -> Any:
    fields = {"start": 0.0, "end": 2.0, "words": None, "compression_ratio": 1.0}
    return SimpleNamespace(
        text=text, avg_logprob=logprob, **{**fields, "no_speech_prob": 0.1, **more}
    )


@pytest.fixture
def hear(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """hear(scripted): what is told of a window in which there is a voice throughout."""
    import silvr_cli.backends.faster_whisper as module

    monkeypatch.setattr(module, "voice_shares", lambda sound: np.ones(200, np.float32))

    def hear(scripted: Scripted, **speech: Any) -> list[str]:
        settings = Settings.model_validate({"speech": {"beam_size": 1, **speech}}).speech
        model = FasterWhisper("whisper/base", "0", Path, settings)
        model._model = scripted
        sound = np.full(4 * SAMPLE_RATE, 0.1, np.float32)
        return [line.text for line in model.transcribe(sound, "en")]

    return hear


def test_a_sure_window_is_decoded_once(hear) -> None:
    model = Scripted([segment("Gate seven.")])
    assert hear(model) == ["Gate seven."]
    assert model.asked == [("en", 1)]


def test_a_loop_is_tried_again_with_a_wider_beam(hear) -> None:
    model = Scripted([segment("da da da da", compression_ratio=9.0)], [segment("Gate seven.")])
    assert hear(model) == ["Gate seven."]
    assert model.asked == [("en", 1), ("en", 5)]


def test_what_stays_doubtful_is_not_told(hear) -> None:
    assert hear(Scripted([segment("Nobody.", -1.4)], [segment("No body.", -1.2)])) == []


def test_an_unsure_window_that_repeats_itself_is_not_told_and_a_sure_one_is(hear) -> None:
    over_a_crowd = [segment(text, -0.95) for text in ("That's it.", *["I gotta go"] * 3)]
    assert hear(Scripted(over_a_crowd)) == []
    chanted = [segment(text, -0.3) for text in ["Come on!"] * 3]
    assert hear(Scripted(chanted)) != []


def test_text_over_what_is_likely_no_speech_is_not_told(hear) -> None:
    assert hear(Scripted([segment("Hmm.", -0.65, no_speech_prob=0.7)])) == []


def test_an_unsure_window_is_tried_in_its_own_language_unless_one_is_given(hear) -> None:
    unsure, sure = segment("It is the right to", -0.9), segment("Das Recht zu nutzen.")
    model = Scripted([unsure], [sure], language=("de", 0.99))
    assert hear(model) == ["Das Recht zu nutzen."]
    assert model.asked == [("en", 1), ("de", 1)]
    assert hear(Scripted([unsure], language=("de", 0.99)), language="en") == ["It is the right to"]


class ScriptedDict(Scripted):
    """The same for openai-whisper, whose replies are dicts."""

    is_multilingual, num_languages, device = True, 99, SimpleNamespace(type="cpu")

    def transcribe(self, sound: Any, language: str | None, beam_size: int, **_: Any) -> Any:
        self.asked.append((language, beam_size))
        return {"segments": [vars(one) for one in self.replies.pop(0)]}


@pytest.mark.extras
def test_openai_whisper_tries_a_loop_again_and_does_not_tell_what_stays_doubtful(
    openai_whisper, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("whisper", reason=EXTRAS)
    import silvr_cli.backends.openai_whisper as module

    monkeypatch.setattr(module, "voice_shares", lambda sound: np.ones(200, np.float32))
    model = openai_whisper("base", beam_size=1, language="en")
    model._model = ScriptedDict([segment("da da", compression_ratio=9.0)], [segment("Go!", -0.3)])
    assert [n.text for n in model.transcribe(SECOND, "en")] == ["Go!"]
    assert model._model.asked == [("en", 1), ("en", 5)]
    model._model = ScriptedDict([segment("No", -1.4)], [segment("No!", float("nan"))])
    assert list(model.transcribe(SECOND, "en")) == []
