"""What every Embedder and ImageEmbedder must do, run against every one that is here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import real_servers
import servers

from silvr_cli import backends
from silvr_cli.backends.sentences import SHAPES, Sentences
from silvr_cli.configuration import load
from silvr_cli.errors import ModelError, UsageError
from silvr_cli.weights import catalogue, store

WITH_EYES = ["fake", pytest.param("openclip", marks=pytest.mark.extras)]
SENTENCES = [pytest.param(name, marks=pytest.mark.models) for name in ("minilm", "mpnet")]
# Servers: two that play, and llama.cpp's own with a real model.
SERVED = ["openai/small", "ollama/small"]
REAL = ["openai/smollm2", "llamacpp/smollm2"]
SERVED += [pytest.param(spec, marks=pytest.mark.models) for spec in REAL]
MODELS = [*WITH_EYES, *SENTENCES, *SERVED]
TEXTS = ["the last bus leaves at ten", "a dog in the rain", "", "café 🎈", "word " * 300]
# "This is an example sentence" by torch and transformers, mean pooling, unit length.
EXAMPLE = {
    "minilm": [0.06765694, 0.06349596, 0.04871306, 0.07930499],
    "mpnet": [0.02250258, -0.07829175, -0.02303071, -0.00510008],
}
# "a a a … bus" of 203 tokens: distances of more than 128 tokens count.
LONG = {"mpnet": [-0.00193352, 0.03174837, -0.00213297, 0.04656517]}
WORDLESS = '{"model": {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}}'
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def picture(seed: int) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", noise)[1].tobytes())


@cache
def opened(spec: str) -> Any:
    return backends.embedder(spec, load().settings)


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[str], Any]]:
    """spec -> the model on a server, which is started when first asked for."""
    with ExitStack() as running:

        @cache
        def made(spec: str) -> Any:
            return running.enter_context(closing(on_a_server(spec, running)))

        yield made


def on_a_server(spec: str, running: ExitStack) -> Any:
    if spec == "ollama/small":
        url = running.enter_context(servers.serving(servers.ollama_routes())).url
        return backends.embedder(spec, load({"servers.ollama": url}).settings)
    if spec == "llamacpp/smollm2":
        weights = store.ensure(catalogue.get("smollm2-135m"), load().settings).main
        return backends.embedder(f"llamacpp/{weights}", load().settings)
    if spec == "openai/small":
        url = running.enter_context(servers.serving(servers.openai_routes())).url
    else:
        url = running.enter_context(real_servers.llama_server(512, embeds=True))
    return backends.embedder(spec, load({"servers.base_url": f"{url}/v1"}).settings)


def chosen(request: pytest.FixtureRequest) -> Any:
    if request.param in ("openai/small", "ollama/small", *REAL):
        return request.getfixturevalue("served")(request.param)
    if request.param == "openclip":
        return opened(f"openclip/{request.getfixturevalue('coca')}")
    return opened(request.param)


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> Any:
    return chosen(request)


@pytest.fixture(params=WITH_EYES)
def seeing(request: pytest.FixtureRequest) -> Any:
    return chosen(request)


def is_unit(rows: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5))


def test_it_has_a_name_slots_and_a_cheap_fingerprint(model: Any) -> None:
    assert model.slots >= 1
    assert model.fingerprint().startswith(model.name)
    assert model.fingerprint() == model.fingerprint()


def test_texts_become_rows_of_unit_length_and_one_width(model: Any) -> None:
    rows = model.embed(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (len(TEXTS), model.embed(["one"]).shape[1])
    assert is_unit(rows)


def test_pictures_become_rows_as_wide_as_those_of_texts(seeing: Any) -> None:
    texts, pictures = seeing.embed(TEXTS), seeing.embed_images([picture(0), picture(1)])
    assert pictures.dtype == np.float32
    assert pictures.shape == (2, texts.shape[1])
    assert is_unit(pictures)


def test_nothing_is_no_rows_of_the_same_width(model: Any) -> None:
    assert model.embed([]).shape == (0, model.embed(["one"]).shape[1])


def test_no_pictures_are_no_rows_of_the_same_width(seeing: Any) -> None:
    assert seeing.embed_images([]).shape == seeing.embed([]).shape


def test_a_row_depends_on_its_own_text_only(model: Any) -> None:
    together = model.embed(TEXTS * 5)
    assert np.allclose(together[-4], model.embed(TEXTS[1:2])[0], atol=1e-5)


def test_a_row_depends_on_its_own_picture_only(seeing: Any) -> None:
    pictures = [picture(seed) for seed in range(20)]
    rows = seeing.embed_images(pictures)
    assert np.allclose(rows[18], seeing.embed_images(pictures[18:19])[0], atol=1e-5)


def test_the_same_comes_out_the_same_and_other_words_differ(model: Any) -> None:
    first, again = model.embed(TEXTS[:2]), model.embed(TEXTS[:2])
    assert np.array_equal(first, again)
    assert not np.allclose(first[0], first[1])


def test_a_query_is_a_row_too(model: Any) -> None:
    rows = model.embed(TEXTS[:2], query=True)
    assert rows.shape == model.embed(TEXTS[:2]).shape
    assert is_unit(rows)


def test_the_fake_puts_texts_with_shared_words_near_each_other() -> None:
    bus, late, dog = opened("fake").embed(["the last bus", "last bus home", "wet dogs bark"])
    assert bus @ late > bus @ dog


@pytest.mark.parametrize("spec", SENTENCES)
def test_what_means_the_same_is_near_each_other(spec: str) -> None:
    eats, meal, crash = opened(spec).embed(
        ["A man is eating food.", "Someone is having a meal.", "The stock market crashed today."]
    )
    assert eats @ meal > 0.6
    assert abs(eats @ crash) < 0.1


@pytest.mark.parametrize("spec", SENTENCES)
def test_rows_are_those_of_the_publishers_own_library(spec: str) -> None:
    example, long = opened(spec).embed(["This is an example sentence", "a " * 200 + "bus"])
    assert np.allclose(example[:4], EXAMPLE[spec], atol=1e-5)
    assert np.allclose(long[:4], LONG.get(spec, long[:4]), atol=1e-5)


@pytest.mark.parametrize("spec", SENTENCES)
def test_texts_are_read_up_to_their_longest(spec: str) -> None:
    # Two tokens mark where a text begins and ends.
    words = "word " * (SHAPES[spec].longest - 2)
    long, longer = opened(spec).embed([words, words + "quite other things"])
    shorter = opened(spec).embed([words[:-50] + "quite other things"])[0]
    assert np.allclose(long, longer, atol=1e-5)
    assert not np.allclose(long, shorter, atol=1e-5)


def damaged(header: object, numbers: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + numbers


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        damaged(b"no JSON"),
        damaged([1]),
        damaged({"embeddings.LayerNorm.weight": {"dtype": "F32", "shape": [384]}}),
        damaged(
            {"embeddings.LayerNorm.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
            bytes(8),
        ),
    ],
)
def test_minilm_says_that_a_file_is_not_its_weights(tmp_path: Path, weights: bytes) -> None:
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "tokenizer.json").write_text(WORDLESS, "utf-8")
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        Sentences("minilm/x", "digest", SHAPES["minilm"], lambda: tmp_path).embed(["a"])


def test_minilm_says_that_its_tokenizer_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{", "utf-8")
    with pytest.raises(ModelError, match="tokenizer"):
        Sentences("minilm/x", "digest", SHAPES["minilm"], lambda: tmp_path).embed(["a"])


@pytest.mark.models
def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="cannot be loaded"):
        backends.embedder(f"llamacpp/{path}", load().settings).embed(["a"])


def test_a_gguf_embedder_is_a_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no model file"):
        backends.embedder(f"llamacpp/{tmp_path}/x.gguf", load().settings)


def test_an_embedder_must_be_one() -> None:
    with pytest.raises(UsageError, match="reads the weights minilm-l6-v2"):
        backends.embedder("minilm/whisper/base", load().settings)
