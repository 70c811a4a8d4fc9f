"""What every TextModel must do, run against every one that is here."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from silvr_cli import backends
from silvr_cli.errors import ContextOverflow
from silvr_cli.protocols import Message, Request, TextModel
from silvr_cli.settings import load

SPECS = ["fake", pytest.param("llamacpp/qwen2.5-coder-1.5b", marks=pytest.mark.models)]
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
    "required": ["colour", "sure"],
}


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, TextModel]]:
    models: dict[str, TextModel] = {}
    yield models
    for model in models.values():
        model.close()


@pytest.fixture(params=SPECS)
def model(request: pytest.FixtureRequest, opened: dict[str, TextModel]) -> TextModel:
    if request.param not in opened:
        opened[request.param] = backends.text_model(request.param, load().settings)
    return opened[request.param]


def ask(text: str) -> list[Message]:
    return [Message("user", text)]


def test_it_says_who_it_is(model: TextModel) -> None:
    assert model.name
    assert model.fingerprint().startswith(model.name)
    assert model.slots >= 1
    assert model.context_length > 1000


def test_it_counts_each_text(model: TextModel) -> None:
    texts = ["one two three", "", "a much longer sentence than the first one was", "café 🎈"]
    counts = model.count(texts)
    assert len(counts) == 4
    assert counts[2] > counts[0] > 0
    assert model.count([]) == []
    alone = [model.count([text])[0] for text in texts]
    assert all(abs(a - b) <= 2 for a, b in zip(counts, alone, strict=True))


def test_it_replies_and_tells_its_use(model: TextModel) -> None:
    reply = model.chat(ask("Say the word yes."), Request(max_tokens=24))
    assert reply.text.strip()
    assert reply.usage.prompt_tokens > 0
    assert reply.usage.completion_tokens > 0


def test_the_same_request_gets_the_same_reply(model: TextModel) -> None:
    first, again = (model.chat(ask("Name a colour."), Request(max_tokens=8)) for _ in range(2))
    assert first.text == again.text


def test_a_schema_is_kept(model: TextModel) -> None:
    reply = model.chat(ask("Is the sky blue? Reply in JSON."), Request(64, schema=SCHEMA))
    value = json.loads(reply.text)
    assert value["colour"] in ("red", "blue")
    assert isinstance(value["sure"], bool)


def test_text_is_told_as_it_comes(model: TextModel) -> None:
    told: list[str] = []
    reply = model.chat(ask("Count to three."), Request(24, on_text=told.append))
    assert "".join(told) == reply.text


@pytest.mark.models
def test_a_prompt_that_does_not_fit_is_refused_and_not_cut() -> None:
    model = backends.text_model("llamacpp/qwen2.5-coder-1.5b", load().settings)
    try:
        with pytest.raises(ContextOverflow, match="32768"):
            model.chat(ask("word " * 40_000))
    finally:
        model.close()
