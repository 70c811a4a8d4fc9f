"""Ollama: what is asked of it, and that no text is ever lost on the way."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import servers
from servers import Played, serving

from silvr_cli import backends
from silvr_cli.backends import automatic
from silvr_cli.backends.ollama import Ollama
from silvr_cli.configuration import load
from silvr_cli.errors import BackendMissing, ContextOverflow, ModelError, Refused
from silvr_cli.protocols import Message, Request

CHAT, SHOW, TAGS = "/api/chat", "/api/show", "/api/tags"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
OPENED: list[Ollama] = []
ASK = [Message("user", "Which gate?")]
LONG = [Message("user", "[0:00-0:04] speech: the master opened gate seven again\n" * 400)]


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    automatic._ollama_models.cache_clear()
    while OPENED:
        OPENED.pop().close()


def routes(*chat: servers.Move, length: int = 32768, skills: tuple[str, ...] = ()) -> dict:
    shown = [servers.card(length, *skills)]
    return {CHAT: list(chat), SHOW: shown, TAGS: [servers.tags("qwen3:8b")]}


def model(server: Played, name: str = "qwen3:8b") -> Ollama:
    settings = load({"servers.ollama": server.url, "calls.timeout": 2.0}).settings
    found = backends.text_model(f"ollama/{name}", settings)
    assert isinstance(found, Ollama)
    OPENED.append(found)
    return found


def test_a_reply_comes_as_text_thought_and_usage() -> None:
    heard: list[str] = []
    moves = routes(servers.told("gate seven", 31, thought="hm"), skills=("thinking",))
    with serving(moves) as server:
        reply = model(server).chat(ASK, Request(64, on_text=heard.append, schema=SCHEMA))
    assert (reply.text, reply.reasoning, reply.finish) == ("gate seven", "hm", "stop")
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (31, 2)
    assert heard == ["hm", "gate", " seven"]
    body = server.bodies(CHAT)[0]
    assert (body["think"], body["format"]) == (True, SCHEMA)
    assert body["options"]["num_predict"] == 64


def test_a_model_that_cannot_think_is_not_asked_to() -> None:
    with serving(routes(servers.told("yes"))) as server:
        model(server).chat(ASK)
    assert not server.bodies(CHAT)[0].get("think")


def test_the_context_is_as_large_as_the_prompt_needs_and_never_shrinks() -> None:
    counts = [servers.told("yes", tokens) for tokens in (20, 5300, 20)]
    with serving(routes(*counts)) as server:
        small = model(server)
        for messages in (ASK, LONG, ASK):
            small.chat(messages, Request(max_tokens=100))
    sizes = [body["options"]["num_ctx"] for body in server.bodies(CHAT)]
    assert sizes == [4096, 8192, 8192]


def test_a_prompt_that_does_not_fit_is_refused_before_it_is_sent() -> None:
    with serving(routes(servers.told("yes"), length=4096)) as server:
        with pytest.raises(ContextOverflow, match="4096 tokens at most"):
            model(server).chat(LONG)
    assert server.bodies(CHAT) == []


def test_lost_text_is_caught_by_the_servers_own_count() -> None:
    with serving(routes(servers.told("yes", 2048))) as server:
        with pytest.raises(ContextOverflow, match="read only 2048"):
            model(server).chat(LONG)


def test_the_fingerprint_is_the_weights_digest() -> None:
    with serving(routes()) as server:
        assert model(server).fingerprint() == "ollama/qwen3:8b@" + "d" * 16


def test_a_missing_model_names_the_command_that_gets_it() -> None:
    missing = {SHOW: [servers.error(404, "model 'x' not found")], TAGS: [servers.tags()]}
    with serving(missing) as server, pytest.raises(ModelError, match="ollama pull qwen3:8b"):
        model(server).chat(ASK)


def test_pictures_go_only_to_models_that_see() -> None:
    with serving(routes(servers.told("a cat"), skills=("vision",))) as server:
        assert model(server).describe([b"\xff\xd8one"], "What is it?").text == "a cat"
    assert len(server.bodies(CHAT)[0]["messages"][0]["images"]) == 1
    with serving(routes(servers.told("a cat"))) as server:
        with pytest.raises(ModelError, match="cannot see"):
            model(server).describe([b"\xff\xd8one"], "What is it?")


@pytest.mark.parametrize(
    ("move", "says"),
    [
        (servers.error(503, "loading"), "busy"),
        (servers.told("half", done=False), "broke off"),
        (servers.hang_up, "broke off"),
        (servers.raw(b"not json"), "does not speak the protocol"),
        (servers.slow(2.5, servers.told("late")), "no sign of life"),
    ],
)
def test_a_bad_server_is_told_and_may_be_asked_again(move: servers.Move, says: str) -> None:
    with serving(routes(move)) as server, pytest.raises(Refused, match=says):
        model(server).chat(ASK)


def test_how_long_a_busy_server_wants_to_be_left_alone() -> None:
    busy = servers.error(429, "later", Retry_After="7")
    with serving(routes(busy)) as server, pytest.raises(Refused) as caught:
        model(server).chat(ASK)
    assert caught.value.retry_after == 7.0


def test_nobody_there() -> None:
    settings = load({"servers.ollama": "http://127.0.0.1:9"}).settings
    with pytest.raises(Refused, match="ollama serve"):
        backends.text_model("ollama/x", settings).chat(ASK)


def test_a_missing_package_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ollama", None)
    with pytest.raises(BackendMissing, match=r"silvr\[ollama\]"):
        backends.text_model("ollama/x", load().settings).chat(ASK)


def test_auto_takes_a_reachable_server_for_what_it_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(routes(skills=("vision",))) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        seer = backends.resolve("vision", "auto", load().settings)
    assert seer.spec == "ollama/qwen3:8b"
    assert f"127.0.0.1:{server.server_port}" in seer.reason
    automatic._ollama_models.cache_clear()
    with serving(routes()) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        assert backends.resolve("vision", "auto", load().settings).spec == "embedded"
        assert backends.resolve("llm", "auto", load().settings).spec == "ollama/qwen3:8b"


def test_auto_passes_over_a_server_that_is_no_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving({}) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        assert backends.resolve("llm", "auto", load().settings).spec.startswith("llamacpp/")
