"""Real servers on loopback around a real small model, for tests marked `models`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from silvr_cli.backends.automatic import listens
from silvr_cli.configuration import load
from silvr_cli.weights import catalogue, store


@contextmanager
def llama_server(context: int = 8192, *, embeds: bool = False) -> Iterator[str]:
    """llama.cpp's own HTTP server with SmolLM2 135M; yields its address."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(store.ensure(catalogue.get("smollm2-135m"), load().settings).main)
    params.n_ctx, params.n_parallel, params.verbosity, params.warmup = context, 1, -1, False
    if embeds:
        params.embedding, params.pooling_type = (
            True,
            xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN,
        )
    server = xllamacpp.Server(params)
    yield server.listening_address
    del server


@contextmanager
def proxy(openai: str) -> Iterator[str]:
    """Ollama's protocol in front of an OpenAI-compatible server; yields its address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    environ = os.environ | {
        "PROVIDERS_LOCAL_BASE_URL": f"{openai}/v1",
        "PROVIDERS_LOCAL_API_KEY": "none",
        "EXTRA_MODELS": "local/smollm2",
    }
    program = Path(sys.executable).with_name("ollama-proxy")
    words = [str(program), "serve", "--host", "127.0.0.1", "--port", str(port)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(words, env=environ, stdout=quiet, stderr=quiet) as running:
        try:
            while not listens("127.0.0.1", port):
                assert running.poll() is None, "the proxy ended"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
