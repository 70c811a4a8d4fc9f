"""One suite for every VisionModel and Tagger, and what open_clip says when it cannot."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from servers import ollama_routes, openai_routes, serving
from tiny_models import CLIP, EXTRAS, clip_folder, open_clip_package

from silvr_cli import backends
from silvr_cli.backends.tags import read_vocabulary
from silvr_cli.configuration import load
from silvr_cli.errors import BackendMissing, InputError, ModelError, UsageError, WeightsError
from silvr_cli.protocols import Request
from silvr_cli.settings import Settings

MODELS = ["fake", "openai", "ollama", pytest.param("openclip", marks=pytest.mark.extras)]
TAGGERS = ["fake", pytest.param("openclip", marks=pytest.mark.extras)]
WORDS = ("a dog", "a cat", "a bus", "rain")
# open_clip's own, and those of transformers.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def picture(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1].tobytes())


@cache
def opened(spec: str) -> Any:
    return backends.vision_model(spec, load().settings)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param in ("openai", "ollama"):
        openai = request.param == "openai"
        with serving(openai_routes() if openai else ollama_routes()) as server:
            key, url = ("base_url", f"{server.url}/v1") if openai else ("ollama", server.url)
            settings = load({f"servers.{key}": url}).settings
            with closing(backends.vision_model(f"{request.param}/small", settings)) as seer:
                yield seer
    else:
        yield tagging(request)


@pytest.fixture(params=TAGGERS)
def tagger(request: pytest.FixtureRequest) -> Any:
    return tagging(request)


def tagging(request: pytest.FixtureRequest) -> Any:
    if request.param == "openclip":
        return opened(f"openclip/{request.getfixturevalue('coca')}")
    return opened(request.param)


def test_it_has_a_name_slots_and_a_cheap_fingerprint(model: Any) -> None:
    assert model.slots >= 1
    assert model.fingerprint().startswith(model.name)
    assert model.fingerprint() == model.fingerprint()


def test_it_describes_pictures_and_tells_its_use(model: Any) -> None:
    reply = model.describe([picture(1), picture(2)], "What is shown?")
    assert reply.text.strip()
    assert reply.usage.calls == 1
    assert reply.usage.completion_tokens > 0


def test_the_same_pictures_get_the_same_words(model: Any) -> None:
    first, again = (model.describe([picture(1)], "What is shown?").text for _ in range(2))
    assert first == again


def test_words_are_told_as_they_come(model: Any) -> None:
    told: list[str] = []
    reply = model.describe([picture(1)], "What is shown?", Request(24, on_text=told.append))
    assert "".join(told) == reply.text


def test_tags_are_shares_of_the_vocabulary_the_likeliest_first(tagger: Any) -> None:
    pictures = [picture(seed) for seed in range(3)]
    for tags in tagger.tags(pictures, WORDS, most=len(WORDS)):
        assert {word for word, _ in tags} == set(WORDS)
        shares = [share for _, share in tags]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert shares == sorted(shares, reverse=True)
    few = tagger.tags(pictures, WORDS, most=2)
    assert few == [tags[:2] for tags in tagger.tags(pictures, WORDS)]


def test_nothing_to_tag_or_to_tag_with_gives_no_tags(tagger: Any) -> None:
    assert tagger.tags([], WORDS) == []
    assert tagger.tags([picture()], []) == [[]]


@pytest.mark.extras
def test_alike_captions_are_told_once_and_others_in_order(
    coca: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from silvr_cli.backends.clip_model import ClipModel

    written = {picture(1): "<start_of_text>a dog . <end_of_text>!!", picture(2): "a  bus"}
    monkeypatch.setattr(ClipModel, "captions", lambda _, images, room: [written[i] for i in images])
    model = opened(f"openclip/{coca}")
    assert model.describe([picture(1)] * 20, "").text == "a dog"
    reply = model.describe([picture(1), picture(2), picture(1)], "")
    assert reply.text == "a dog; a bus"
    assert reply.finish == "length"


@pytest.mark.extras
def test_many_pictures_go_in_batches_and_come_out_in_order(coca: Path) -> None:
    model, pictures = opened(f"openclip/{coca}"), [picture(seed) for seed in range(35)]
    together = model.embed_images(pictures)
    assert np.allclose(together[33], model.embed_images(pictures[33:34])[0], atol=1e-5)
    assert len(model.tags(pictures, WORDS)) == 35


@pytest.mark.extras
def test_a_closed_model_may_be_used_again(coca: Path) -> None:
    model = backends.vision_model(f"openclip/{coca}", load().settings)
    before = model.describe([picture()], "").text
    model.close()
    assert model.describe([picture()], "").text == before


@pytest.mark.extras
def test_a_checkpoint_file_goes_with_a_models_name(coca: Path) -> None:
    (named,) = coca.glob("silvr-tiny-*.json")
    file = coca / "open_clip_pytorch_model.bin"
    model = backends.vision_model(f"openclip/{named.stem}/{file}", load().settings)
    same = opened(f"openclip/{coca}").describe([picture()], "").text
    assert model.describe([picture()], "").text == same


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny CLIP, which has no text decoder."""
    return clip_folder(tmp_path_factory.mktemp("clip"), CLIP)


def by_words(clip: Path, folder: Path, share: float, words: str = "\n".join(WORDS)) -> Any:
    (folder / "words.txt").write_text(words, "utf-8")
    flags = {"captions.vocabulary": folder / "words.txt", "captions.tag_share": share}
    return backends.vision_model(f"openclip/{clip}", load(flags).settings)


@pytest.mark.extras
def test_a_model_without_a_decoder_describes_by_tags(clip: Path, tmp_path: Path) -> None:
    model, pictures = by_words(clip, tmp_path, 0.2), [picture(seed) for seed in range(6)]
    shares: dict[str, float] = {}
    for tags in model.tags(pictures, WORDS):
        shares |= {word: max(share, shares.get(word, 0)) for word, share in tags}
    sure = sorted((w for w in shares if shares[w] >= 0.2), key=lambda word: -shares[word])
    told: list[str] = []
    reply = model.describe(pictures, "What is shown?", Request(on_text=told.append))
    assert reply.text == told[0] == "seen: " + ", ".join(sure)
    assert reply.finish == "stop"


@pytest.mark.extras
def test_tags_that_are_not_sure_are_not_told(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = by_words(clip, tmp_path, 0.5)
    given = [[("a dog", 0.6), ("rain", 0.4)], [("a bus", 0.9)], [("a dog", 0.7), ("rain", 0.1)]]
    monkeypatch.setattr(type(model), "tags", lambda _, images, words: given[: len(images)])
    assert model.describe([picture()] * 3, "").text == "seen: a bus, a dog"
    given[0] = [("rain", 0.4)]
    assert model.describe([picture()], "").text == "seen: nothing certain"


@pytest.mark.extras
def test_a_new_vocabulary_is_another_model_wherever_it_lies(clip: Path, tmp_path: Path) -> None:
    first = by_words(clip, tmp_path, 0.2).fingerprint()
    (tmp_path / "below").mkdir()
    assert by_words(clip, tmp_path / "below", 0.2).fingerprint() == first
    assert by_words(clip, tmp_path, 0.2, "a hat").fingerprint() != first
    embeds = backends.fingerprint("embed", f"openclip/{clip}", load().settings)
    assert first.startswith(embeds), "vectors do not depend on the words"


def test_a_vocabulary_that_is_missing_is_told_before_anything_loads(tmp_path: Path) -> None:
    flags = {"captions.vocabulary": tmp_path / "gone.txt"}
    with pytest.raises(UsageError, match=r"gone\.txt cannot be read"):
        backends.vision_model("openclip/ViT-B-32/openai", load(flags).settings)


@pytest.mark.extras
def test_what_coca_cannot_follow_or_read_is_an_error(coca: Path) -> None:
    model = opened(f"openclip/{coca}")
    with pytest.raises(ModelError, match="cannot follow a JSON schema"):
        model.describe([picture()], "", Request(schema={"type": "object"}))
    with pytest.raises(InputError, match="3 bytes are no picture"):
        model.describe([b"gif"], "")
    with pytest.raises(InputError, match="no picture"):
        model.tags([picture()[:400]], WORDS)


@pytest.mark.extras
def test_a_new_checkpoint_is_a_new_model(tmp_path: Path) -> None:
    pytest.importorskip("open_clip_train", reason=EXTRAS)
    prints = set()
    for content in (b"one", b"other"):
        (tmp_path / "model.pt").write_bytes(content)
        spec = f"openclip/ViT-B-32/{tmp_path / 'model.pt'}"
        prints.add(backends.fingerprint("vision", spec, load().settings))
    assert len(prints) == 2


@pytest.mark.extras
@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ("ViT-B-33/openai", UsageError, "no model called 'ViT-B-33'.*ViT-B-32"),
        ("ViT-B-32/laion", UsageError, "no weights 'laion' of ViT-B-32.*laion2b_e16"),
        ("ViT-B-32/openai", WeightsError, "cannot be had.*silvr is offline"),
        ("hf-hub:nobody/nothing", WeightsError, "cannot be had.*silvr is offline"),
    ],
)
def test_what_is_not_known_or_not_here_is_named(
    model: str, error: type[Exception], message: str, hub_restored: None
) -> None:
    open_clip_package()
    with pytest.raises(error, match=message):
        backends.vision_model(f"openclip/{model}", load().settings).describe([picture()], "")


@pytest.fixture
def hub_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Being offline holds for the whole process; other tests must not feel it."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", constants.HF_HUB_OFFLINE)


@pytest.mark.extras
def test_a_file_that_is_no_checkpoint_is_named(coca: Path, tmp_path: Path) -> None:
    (named,) = coca.glob("silvr-tiny-*.json")
    (tmp_path / "bad.pt").write_bytes(b"no checkpoint")
    model = backends.vision_model(f"openclip/{named.stem}/{tmp_path / 'bad.pt'}", load().settings)
    with pytest.raises(ModelError, match=r"bad\.pt cannot be loaded"):
        model.describe([picture()], "")


@pytest.mark.parametrize("model", ["", "ViT-B-32", "ViT-B-32/absent.pt", "ViT-B-32//no/model", "."])
def test_a_name_without_weights_is_refused_before_anything_loads(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="openclip/FOLDER"):
        backends.vision_model(f"openclip/{model}", Settings())


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    def make() -> Any:
        monkeypatch.setitem(sys.modules, "open_clip", None)
        return backends.vision_model("openclip/ViT-B-32/openai", load().settings)

    return make


def test_a_missing_package_names_its_extra(without: Callable[[], Any]) -> None:
    with pytest.raises(BackendMissing, match=r"pip install 'silvr\[openclip\]'"):
        without().tags([picture()], WORDS)


def test_the_backends_import_no_torch() -> None:
    script = (
        "import json, sys; import silvr_cli.backends.open_clip, silvr_cli.backends.openai_whisper;"
        "print(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert not {"torch", "open_clip", "whisper", "transformers"} & set(json.loads(ran.stdout))


def test_the_packaged_vocabulary_has_words_once_each() -> None:
    words = read_vocabulary()
    assert len(words) == len(set(words)) > 150
    assert not [word for word in words if word != word.strip() or word.startswith("#")]


def test_an_own_vocabulary_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# mine\n\nzebra \n  ant\nzebra\nbee # not wasps\n", "utf-8")
    assert read_vocabulary(path) == ("zebra", "ant", "bee")


@pytest.mark.parametrize("content", [None, b"", b"# nothing\n\n", b"\xff\xfe\x00"])
def test_a_vocabulary_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "words.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=r"words\.txt"):
        read_vocabulary(path)


def test_a_gguf_file_sees_only_with_its_projector() -> None:
    model = backends.vision_model("llamacpp/smollm2-135m", load().settings)
    with pytest.raises(ModelError, match=r"models\.mmproj=FILE"):
        model.describe([picture()], "What is shown?")
