"""A GGUF file that turns texts into vectors in this process, by llama.cpp."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import cores
from ..errors import ModelError
from .openmp import llama
from .served_vectors import Sent

# Tokens of the longest text, with what stands before it.
LONGEST_TOKENS = 1024
# How a file names its way from a text's tokens to one row; it stands before the weights.
POOLING, HEADER = b".pooling_type", 1 << 25


class GgufVectors:
    """What `Served` asks in place of a server; loaded when the first texts come."""

    slots, on_a_server = 1, False

    def __init__(self, name: str, digest: str, path: Path, *, verbose: bool = False) -> None:
        self.name, self.digest, self.path = name, digest, path
        self._verbosity = 3 if verbose else -1
        self._server: Any = None
        self._lock = threading.Lock()

    def identity(self) -> str:
        return self.digest

    def reach(self) -> None:
        llama()

    def send(self, texts: Sequence[str]) -> Sent:
        with self._lock:
            self._server = self._server or self._loaded()
            reply = self._server.handle_embeddings({"input": list(texts)})
        if said := _error(reply):
            raise ModelError(f"{self.name} cannot embed: {said}", "is it a model for embeddings?")
        rows = sorted(reply["data"], key=lambda row: row["index"])
        return Sent([row["embedding"] for row in rows], reply["usage"]["prompt_tokens"])

    def close(self) -> None:
        with self._lock:
            self._server = None

    def _loaded(self) -> Any:
        library = llama()
        params = library.CommonParams()
        params.model.path, params.embedding = str(self.path), True
        if not _pools(self.path):
            params.pooling_type = library.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.n_ctx = params.n_batch = params.n_ubatch = LONGEST_TOKENS
        params.n_parallel, params.verbosity, params.warmup = 1, self._verbosity, False
        threads = len(cores.ours())
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
        try:
            return library.Server(params)
        except (RuntimeError, ValueError) as error:
            raise ModelError(
                f"{self.name} cannot be loaded: {error}", "is the file a whole GGUF model?"
            ) from error


def _pools(path: Path) -> bool:
    """Whether a file names its way to one row; a chat model's does not: then the mean is taken."""
    with path.open("rb") as file:
        return POOLING in file.read(HEADER)


def _error(reply: Any) -> str:
    """What llama.cpp complains of; nothing where all went well."""
    error = reply.get("error") or {}
    return str(error.get("message", error)) if error else ""
