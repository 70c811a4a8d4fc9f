"""OpenAI-compatible servers: what goes out, what comes back, and what bad servers come to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import servers
from servers import Played, serving

from silvr_cli import backends
from silvr_cli.backends import automatic
from silvr_cli.configuration import load
from silvr_cli.errors import BackendMissing, ContextOverflow, ModelError, Refused, UnknownModel
from silvr_cli.protocols import Message, Request, TextModel

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
KEY = "sk-planted-0123456789abcdef"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
OPENED: list[Any] = []
ASK = [Message("user", "Which gate?")]
LONG = [Message("user", "[0:00-0:04] speech: the master opened gate seven again\n" * 200)]


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    yield
    automatic._on_server.cache_clear()
    while OPENED:
        OPENED.pop().close()


def model(server: Played, name: str = "small") -> TextModel:
    settings = load({"servers.base_url": f"{server.url}/v1", "calls.timeout": 2.0}).settings
    OPENED.append(backends.text_model(f"openai/{name}", settings))
    return OPENED[-1]


def test_a_reply_comes_as_text_thought_and_usage() -> None:
    told: list[str] = []
    with serving({CHAT: [servers.chat("gate seven", 31, thought="let me see")]}) as server:
        reply = model(server).chat(ASK, Request(64, on_text=told.append))
    assert (reply.text, reply.reasoning, reply.finish) == ("gate seven", "let me see", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (31, 3)
    assert told == ["let me see", "gate", " seven"]
    path, body, headers = server.asked[0]
    assert (path, body["model"], body["max_tokens"]) == (CHAT, "small", 64)
    assert headers["authorization"] == f"Bearer {KEY}"


def test_pictures_go_before_the_words_that_ask_about_them() -> None:
    with serving({CHAT: [servers.chat("a cat")]}) as server:
        settings = load({"servers.base_url": f"{server.url}/v1"}).settings
        seer = backends.vision_model("openai/small", settings)
        OPENED.append(seer)
        assert seer.describe([b"\xff\xd8one", b"\xff\xd8two"], "What is it?").text == "a cat"
    parts = server.bodies(CHAT)[0]["messages"][0]["content"]
    assert [part["type"] for part in parts] == ["image_url", "image_url", "text"]
    assert parts[0]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_a_schema_is_sent_and_done_without_where_the_server_knows_none() -> None:
    refusal = servers.error(400, "response_format json_schema is not supported")
    with serving({CHAT: [refusal, servers.chat('{"a": "x"}')]}) as server:
        small = model(server)
        assert json.loads(small.chat(ASK, Request(schema=SCHEMA)).text) == {"a": "x"}
        small.chat(ASK, Request(schema=SCHEMA))
    first, second, third = server.bodies(CHAT)
    assert first["response_format"]["json_schema"]["schema"] == SCHEMA
    for later in (second, third):
        assert "response_format" not in later
        assert json.dumps(SCHEMA) in later["messages"][0]["content"]


def test_what_a_server_does_not_take_is_left_out_one_by_one() -> None:
    moves = [
        servers.error(400, "Unsupported value: 'temperature' does not support 0.0"),
        servers.error(422, "unknown field stream_options"),
        servers.chat("yes"),
    ]
    with serving({CHAT: moves}) as server:
        reply = model(server).chat(ASK)
    assert reply.text == "yes"
    assert reply.usage.prompt_tokens > 0, "estimated where the server does not tell"
    assert {"temperature", "stream_options"} & set(server.bodies(CHAT)[-1]) == set()


@pytest.mark.parametrize(
    ("move", "kind", "says"),
    [
        (servers.error(429, "slow down"), Refused, "busy"),
        (servers.error(503, "overloaded"), Refused, "busy"),
        (servers.error(429, "insufficient_quota"), ModelError, "insufficient_quota"),
        (servers.error(401, f"Incorrect API key provided: {KEY}"), ModelError, "refuses"),
        (servers.error(404, "no such model"), UnknownModel, "silvr models list --remote"),
        (servers.error(400, "bad thing"), ModelError, "bad thing"),
        (servers.error(400, "maximum context length is 8"), ContextOverflow, "--budget"),
        (servers.cut_chat("gate"), Refused, "broke off"),
        (servers.hang_up, Refused, "cannot be reached"),
        (servers.raw(b"<html>hello"), Refused, "broke off"),
        (lambda r: r.stream([b"data: {nonsense\n\n"]), Refused, "does not speak the protocol"),
    ],
)
def test_a_bad_server_is_told_in_one_sentence(
    move: servers.Move, kind: type[ModelError], says: str
) -> None:
    with serving({CHAT: [move]}) as server, pytest.raises(kind) as caught:
        model(server).chat(ASK)
    assert type(caught.value) is kind
    assert says in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_server_that_gives_no_sign_of_life_is_given_up() -> None:
    with serving({CHAT: [servers.slow(1.5, servers.chat("late"))]}) as server:
        settings = load({"servers.base_url": f"{server.url}/v1", "calls.timeout": 0.3}).settings
        with pytest.raises(Refused, match="no sign of life"):
            backends.text_model("openai/small", settings).chat(ASK)


def test_nobody_there() -> None:
    settings = load({"servers.base_url": "http://127.0.0.1:9/v1"}).settings
    with pytest.raises(Refused, match="cannot be reached"):
        backends.text_model("openai/small", settings).chat(ASK)


def test_a_server_that_cuts_the_prompt_is_caught_by_its_own_count() -> None:
    with serving({CHAT: [servers.chat("gate seven", prompt_tokens=512)]}) as server:
        with pytest.raises(ContextOverflow, match="read only 512 tokens"):
            model(server).chat(LONG)


def test_sizes_are_learned_from_what_the_server_counts() -> None:
    with serving({CHAT: [servers.chat("ok", prompt_tokens=2400)]}) as server:
        small = model(server)
        before = small.count([LONG[0].content])[0]
        small.chat(LONG)
        after = small.count([LONG[0].content])[0]
    assert 2400 < after < before


def test_the_servers_own_context_length_is_taken() -> None:
    with serving({MODELS: [servers.models("small", max_model_len=12345)]}) as server:
        assert model(server).context_length == 12345
        assert model(server, "other").context_length == 8192


def test_a_hosted_models_length_is_known() -> None:
    assert backends.text_model("openai/gpt-4o-mini", load().settings).context_length == 128_000


def test_a_missing_key_is_told_with_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(ModelError, match="OPENAI_API_KEY is not set"):
        backends.text_model("openai/gpt-5-mini", load().settings).chat(ASK)


def test_a_key_may_lie_in_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring, errors = ModuleType("keyring"), ModuleType("keyring.errors")
    keyring.__dict__["get_password"] = lambda service, name: f"{service}:{name}"
    errors.__dict__["KeyringError"] = OSError
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.delenv("OPENAI_API_KEY")
    with serving({CHAT: [servers.chat("yes")]}) as server:
        model(server).chat(ASK)
    assert server.asked[0][2]["authorization"] == "Bearer silvr:OPENAI_API_KEY"


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(BackendMissing, match=r"silvr\[openai\]"):
        backends.text_model("openai/gpt-5-mini", load().settings).chat(ASK)


def test_auto_takes_the_configured_server() -> None:
    with serving({MODELS: [servers.models("big-model")]}) as server:
        settings = load({"servers.base_url": f"{server.url}/v1"}).settings
        choice = backends.resolve("llm", "auto", settings)
    assert choice.spec == "openai/big-model"
    assert "configured" in choice.reason


def test_auto_takes_a_key_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    choice = backends.resolve("vision", "auto", load().settings)
    assert (choice.spec, choice.reason) == ("openai/gpt-5-mini", "OPENAI_API_KEY is set")
