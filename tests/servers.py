"""Servers on loopback for tests: they speak OpenAI's or Ollama's protocol, well or badly.

`Played` answers each request with the next of the moves it was given (the last one for ever), and
keeps what it was asked.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Move = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """One request; a move answers it through these methods."""

    protocol_version = "HTTP/1.1"
    body: dict[str, Any]

    def log_message(self, format: str, *args: object) -> None:
        return

    def do_GET(self) -> None:
        self._play({})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            self._play(json.loads(raw))
        except ValueError:
            self._play({"raw": raw})

    def _play(self, body: dict[str, Any]) -> None:
        self.body = body
        move = self.server.next_move(self)  # type: ignore[attr-defined]
        try:
            move(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def reply(self, value: Any, status: int = 200, **headers: str) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, header in headers.items():
            self.send_header(name.replace("_", "-"), header)
        self.end_headers()
        self.wfile.write(data)

    def stream(self, chunks: list[bytes], kind: str = "text/event-stream") -> None:
        """Chunks, then the end of the connection: a stream that is cut has nothing after it."""
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks:
            self.wfile.write(chunk)
            self.wfile.flush()
        self.close_connection = True


class Played(ThreadingHTTPServer):
    daemon_threads = True
    # Many calls may come at once.
    request_queue_size = 128

    def __init__(self, routes: dict[str, list[Move]]) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.routes = routes
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def next_move(self, request: Asked) -> Move:
        with self._lock:
            headers = {name.lower(): value for name, value in request.headers.items()}
            self.asked.append((request.path, request.body, headers))
            moves = self.routes.get(request.path)
            if not moves:
                return error(404, f"no route {request.path}")
            return moves.pop(0) if len(moves) > 1 else moves[0]

    def bodies(self, path: str) -> list[dict[str, Any]]:
        return [body for asked, body, _ in self.asked if asked == path]


@contextmanager
def serving(routes: dict[str, list[Move]]) -> Iterator[Played]:
    server = Played(routes)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


# -- moves of any server


def error(status: int, message: str, **headers: str) -> Move:
    return lambda request: request.reply({"error": {"message": message}}, status, **headers)


def raw(data: bytes, status: int = 200) -> Move:
    return lambda request: request.reply(data, status)


def slow(seconds: float, then: Move) -> Move:
    def move(request: Asked) -> None:
        time.sleep(seconds)
        then(request)

    return move


def hang_up(request: Asked) -> None:
    request.close_connection = True


# -- OpenAI's protocol


def chat(text: str, prompt_tokens: int = 20, thought: str = "", finish: str = "stop") -> Move:
    """A streamed reply, a chunk a word, with usage at the end."""

    def move(request: Asked) -> None:
        deltas: list[dict[str, Any]] = [{"reasoning_content": thought}] if thought else []
        deltas += [{"content": part} for part in text.split(" ")[:1]]
        deltas += [{"content": " " + part} for part in text.split(" ")[1:]]
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": len(deltas)}
        events = [_event([_choice(delta)]) for delta in deltas]
        events.append(_event([_choice({}, finish)]))
        if request.body.get("stream_options"):
            events.append(_event([], usage | {"total_tokens": prompt_tokens + len(deltas)}))
        request.stream([*events, b"data: [DONE]\n\n"])

    return move


def cut_chat(text: str) -> Move:
    return lambda request: request.stream([_event([_choice({"content": text})])])


def _choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(choices: list[Any], usage: Any = None) -> bytes:
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunk |= {"choices": choices, "usage": usage}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def models(*names: str, **extra: Any) -> Move:
    data = [{"id": n, "object": "model", "created": 1, "owned_by": "x", **extra} for n in names]
    return lambda request: request.reply({"object": "list", "data": data})


# -- Ollama's protocol


def tags(*names: str, size: int = 1000) -> Move:
    rows = [{"model": name, "name": name, "digest": "d" * 64, "size": size} for name in names]
    return lambda request: request.reply({"models": rows})


def card(length: int = 32768, *capabilities: str) -> Move:
    info = {"general.architecture": "qwen3", "qwen3.context_length": length}
    found = {"model_info": info, "capabilities": ["completion", *capabilities]}
    return lambda request: request.reply(found)


def told(text: str, prompt_tokens: int = 20, thought: str = "", done: bool = True) -> Move:
    """NDJSON: a line a word, then the counts."""

    def move(request: Asked) -> None:
        said = [{"content": "", "thinking": thought}] if thought else []
        words = text.split(" ")
        said += [{"content": w if i == 0 else f" {w}"} for i, w in enumerate(words)]
        lines: list[dict[str, Any]] = [
            {"model": "m", "message": {"role": "assistant", **m}, "done": False} for m in said
        ]
        if done:
            end = {"model": "m", "message": {"role": "assistant", "content": ""}, "done": True}
            counts = {"prompt_eval_count": prompt_tokens, "eval_count": len(words)}
            lines.append(end | {"done_reason": "stop"} | counts)
        chunks = [json.dumps(line).encode() + b"\n" for line in lines]
        request.stream(chunks, "application/x-ndjson")

    return move


# -- servers that behave: the fake model behind each protocol


def good_openai(request: Asked) -> None:
    """Chat: what the fake model says to the last message, schema and all."""
    text, words = _said(request.body, _schema(request.body))
    chat(text, words)(request)


def good_ollama(request: Asked) -> None:
    text, words = _said(request.body, request.body.get("format"))
    told(text, words)(request)


def transcript(request: Asked) -> None:
    """Two segments over the sound that came as a WAV file in a form."""
    data = request.body["raw"]
    wav = data[data.index(b"RIFF") :]
    length = (int.from_bytes(wav[40:44], "little") / 2) / 16_000
    half = [{"start": 0.0, "end": length / 2, "text": " Ask not"}]
    rest = [{"start": length / 2, "end": length + 0.5, "text": " what your country"}]
    noise = [{"start": 0.0, "end": 1.0, "text": " Thanks for watching", "no_speech_prob": 0.95}]
    body = {"text": "Ask not what your country", "language": "english", "duration": length}
    request.reply(body | {"segments": half + rest + noise})


def rows(request: Asked) -> list[list[float]]:
    """The fake embedder's rows, longer than one: servers do not all send unit vectors."""
    from silvr_cli.backends.fake import FakeEmbedder

    made: list[list[float]] = (FakeEmbedder().embed(request.body["input"]) * 3).tolist()
    return made


def embedded(request: Asked) -> None:
    """In another order than asked; the index tells which is which."""
    data = [
        {"object": "embedding", "index": number, "embedding": row}
        for number, row in enumerate(rows(request))
    ]
    usage = {"prompt_tokens": 7 * len(data), "total_tokens": 7 * len(data)}
    request.reply({"object": "list", "data": data[::-1], "model": "m", "usage": usage})


def ollama_embedded(request: Asked) -> None:
    found = rows(request)
    request.reply({"model": "m", "embeddings": found, "prompt_eval_count": 7 * len(found)})


def _schema(body: dict[str, Any]) -> Any:
    return (body.get("response_format") or {}).get("json_schema", {}).get("schema")


def _said(body: dict[str, Any], schema: Any) -> tuple[str, int]:
    from silvr_cli.backends.fake import FakeText
    from silvr_cli.protocols import Message, Request

    content = body["messages"][-1]["content"]
    if isinstance(content, list):
        content = " ".join(str(part.get("text") or part.get("image_url")) for part in content)
    content += str(body["messages"][-1].get("images") or "")
    reply = FakeText().chat([Message("user", content)], Request(schema=schema or None))
    return reply.text, len(content.split())


def openai_routes() -> dict[str, list[Move]]:
    return {
        "/v1/chat/completions": [good_openai],
        "/v1/models": [models("small", max_model_len=8192)],
        "/v1/audio/transcriptions": [transcript],
        "/v1/embeddings": [embedded],
    }


def ollama_routes() -> dict[str, list[Move]]:
    return {
        "/api/chat": [good_ollama],
        "/api/show": [card(8192, "vision")],
        "/api/tags": [tags("small")],
        "/api/embed": [ollama_embedded],
    }
