"""What every TextModel must do, run against every one that is here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
import real_servers
import servers

from silvr_cli import backends
from silvr_cli.configuration import load
from silvr_cli.errors import ContextOverflow
from silvr_cli.protocols import Message, Request, TextModel

# Real servers: llama.cpp's own, and Ollama's protocol in front of it.
SPECS = [
    "fake",
    "openai/small",
    "ollama/small",
    pytest.param("llamacpp/qwen2.5-coder-1.5b", marks=pytest.mark.models),
    pytest.param("openai/smollm2", marks=pytest.mark.models),
    pytest.param("ollama/local/smollm2", marks=pytest.mark.models),
]
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": ["red", "blue"]}, "sure": {"type": "boolean"}},
    "required": ["colour", "sure"],
}


@pytest.fixture(scope="module")
def opened(served: object) -> Iterator[dict[str, TextModel]]:
    models: dict[str, TextModel] = {}
    yield models
    for model in models.values():
        model.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Callable[[str], dict[str, str]]]:
    """spec -> the settings that lead to its server, which is started when first asked for."""
    with ExitStack() as running:

        @cache
        def good(provider: str) -> str:
            routes = servers.openai_routes() if provider == "openai" else servers.ollama_routes()
            return running.enter_context(servers.serving(routes)).url

        @cache
        def real() -> str:
            return running.enter_context(real_servers.llama_server())

        def flags(spec: str) -> dict[str, str]:
            if spec == "openai/smollm2":
                return {"servers.base_url": f"{real()}/v1"}
            if spec == "ollama/local/smollm2":
                return {"servers.ollama": running.enter_context(real_servers.proxy(real()))}
            if spec == "openai/small":
                return {"servers.base_url": f"{good('openai')}/v1"}
            return {"servers.ollama": good("ollama")} if spec == "ollama/small" else {}

        yield flags


@pytest.fixture(params=SPECS)
def model(
    request: pytest.FixtureRequest,
    opened: dict[str, TextModel],
    served: Callable[[str], dict[str, str]],
) -> TextModel:
    if request.param not in opened:
        settings = load(served(request.param)).settings
        opened[request.param] = backends.text_model(request.param, settings)
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
    # An estimate may be high, never low: text must not be lost.
    assert counts[2] >= 9


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


@pytest.mark.models
def test_llama_cpp_keeps_a_grammar_and_tells_the_likeliest_first_tokens() -> None:
    model = backends.text_model("llamacpp/smollm2-135m", load().settings)
    try:
        request = Request(4, grammar='root ::= "A" | "B"', likeliest=5)
        reply = model.chat(ask("Is fire A. cold or B. hot?"), request)
    finally:
        model.close()
    assert reply.text in ("A", "B")
    assert len(reply.first) == 5
    assert [p for _, p in reply.first] == sorted((p for _, p in reply.first), reverse=True)
    assert all(p <= 0 for _, p in reply.first)


@pytest.mark.models
def test_llama_cpp_tells_how_likely_a_forced_reply_is_in_its_usual_tokens() -> None:
    model = backends.text_model("llamacpp/smollm2-135m", load().settings)
    forced = ['Why does "the dog" bark?', "Wo läuft der Hund hin?\nUnd wann?"]
    try:
        message = ask("The dog barks at the cat. Write a question about it.")
        replies = [model.chat(message, Request(forced=text)) for text in forced]
        tokens = [model.count([text])[0] for text in forced]
    finally:
        model.close()
    assert [reply.text for reply in replies] == forced
    assert [reply.usage.completion_tokens for reply in replies] == tokens
    likely, unlikely = (reply.likelihood for reply in replies)
    assert unlikely < likely < 0


@pytest.mark.models
def test_a_files_own_context_length_is_read() -> None:
    from silvr_cli.weights import catalogue, store

    path = store.ensure(catalogue.get("smollm2-135m"), load().settings).main
    model = backends.text_model(f"llamacpp/{path}", load().settings)
    try:
        assert model.context_length == 8192
    finally:
        model.close()
