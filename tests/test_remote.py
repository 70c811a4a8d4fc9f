"""Videos behind addresses: fetched within limits, resumed, remembered, never from a neighbour."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import VideoMaker
from servers import Asked, Move, Played, hang_up, raw, serving

from silvr_cli import intake, pipeline
from silvr_cli.configuration import load
from silvr_cli.errors import InputError, UsageError
from silvr_cli.records import Version
from silvr_cli.remote import addresses, guard, spool
from silvr_cli.remote.opened import Unchanged
from silvr_cli.remote.spool import Spool
from silvr_cli.settings import Remote, spool_path

DATA = bytes(range(256)) * 400
PATIENT = Remote(private=True, timeout=5.0, retries=2)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "LONGEST_WAIT", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@dataclass
class Shelf:
    """A file as a web server gives it: ranges, validators, and as many faults as a test wants.

    `cuts` are the numbers of bytes after which the next replies break off; `claims` is a length
    that is not the true one.
    """

    data: bytes = DATA
    etag: str = '"one"'
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    claims: int | None = None
    kind: str = "video/mp4"
    asked: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, request: Asked) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(headers)
        if self.etag and headers.get("if-none-match") == self.etag:
            request.send_response(304)
            request.end_headers()
            return
        start = self._start(headers)
        body = self.data[start:]
        request.send_response(206 if start else 200)
        if start:
            total = len(self.data)
            request.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        request.send_header("Content-Type", self.kind)
        request.send_header("Content-Length", str(self.claims or len(body)))
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        if self.cuts:
            body = body[: self.cuts.pop(0)]
        request.wfile.write(body)
        request.close_connection = True

    def _start(self, headers: dict[str, str]) -> int:
        wanted = headers.get("range", "")
        if not (wanted and self.ranges) or headers.get("if-range") not in (None, self.etag):
            return 0
        return int(wanted.removeprefix("bytes=").rstrip("-"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def told(done: float, total: float) -> None:
    return


def fetched(address: str, folder: Path, settings: Remote = PATIENT) -> bytes:
    with Spool(address, settings, folder, told) as spooled:
        return spooled.path()[0].read_bytes()


@pytest.fixture
def site() -> Iterator[Played]:
    with serving({}) as server:
        yield server


def shelved(site: Played, path: str = "/talk.mp4", **how: Any) -> Shelf:
    shelf = Shelf(**how)
    site.routes[path] = [shelf]
    return shelf


# -- what is an address


@pytest.mark.parametrize("words", ["talk.mp4", "a/b.mp4", "C:\\talk.mp4", "concat:x", "https:/x"])
def test_what_is_no_address_is_a_file(words: str) -> None:
    assert addresses.place(words) == Path(words)


def test_addresses_stay_text_and_file_addresses_become_paths() -> None:
    for words in ("https://example.org/a.mp4", "s3://bucket/a.mp4", "memory://a"):
        assert addresses.place(words) == words
    assert addresses.place("file:///videos/a%20b.mp4") == Path("/videos/a b.mp4")
    named = addresses.place("file:///videos/a%FF.mp4")
    assert os.fsencode(named) == b"/videos/a\xff.mp4"


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    address = "https://ann:word@example.org:8443/talks/one.mp4?X-Signature=abc#t=5"
    assert addresses.shown(address) == "https://example.org:8443/talks/one.mp4"
    assert addresses.name(address) == "one.mp4"
    assert addresses.key(address) == addresses.key(address.partition("#")[0])
    assert addresses.key(address) != addresses.key(address.replace("abc", "abd"))


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://example.org/", "example.org"),
        ("https://example.org/a/%2e%2e%2fpasswd", "passwd"),
        ("https://example.org/x%00y.mp4", "x_y.mp4"),
        ("https://example.org/" + "ж" * 500 + ".mp4", "ж" * 30 + ".mp4"),
        ("s3://bucket/talks/ü.mkv", "ü.mkv"),
    ],
)
def test_an_address_gives_a_harmless_file_name(address: str, name: str) -> None:
    assert addresses.name(address) == name


def test_letters_outside_of_ascii_are_encoded() -> None:
    plain, user = addresses.encoded("HTTPS://ann:pass%20word@bücher.example/ä b.mp4?q=ö#x")
    assert plain == "https://xn--bcher-kva.example/%C3%A4%20b.mp4?q=%C3%B6"
    assert user == "ann:pass word"
    for bad in ("http:///talk.mp4", "http://host:port/talk.mp4", "http://[::1/talk.mp4"):
        with pytest.raises(InputError, match="address"):
            addresses.encoded(bad)


# -- fetching


def test_a_file_is_fetched_whole_and_gone_when_the_work_ends(site: Played, folder: Path) -> None:
    shelved(site)
    with Spool(f"{site.url}/talk.mp4", PATIENT, folder, told) as spooled:
        path, version = spooled.path()
        assert (path.name, path.read_bytes()) == ("talk.mp4", DATA)
        assert version == Version('"one"', "", len(DATA))
        assert spooled.path()[0] == path, "fetched twice"
    assert not folder.exists()


def test_a_broken_connection_is_taken_up_where_it_broke(site: Played, folder: Path) -> None:
    shelf = shelved(site, cuts=[10_000, 20_000])
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    assert [asked.get("range") for asked in shelf.asked] == [None, "bytes=10000-", "bytes=30000-"]
    assert [asked.get("if-range") for asked in shelf.asked] == [None, '"one"', '"one"']


def test_without_ranges_it_starts_again(site: Played, folder: Path) -> None:
    shelved(site, cuts=[10_000], ranges=False)
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA


def test_without_a_version_nothing_is_joined(site: Played, folder: Path) -> None:
    shelf = shelved(site, cuts=[10_000], etag="")
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    assert not any("range" in asked for asked in shelf.asked)


def test_a_file_that_changes_in_between_is_not_joined_to_the_old_one(
    site: Played, folder: Path
) -> None:
    shelf = shelved(site, cuts=[10_000])

    def change(request: Asked) -> None:
        shelf.data, shelf.etag = DATA[::-1], '"two"'
        shelf(request)

    site.routes["/talk.mp4"] = [shelf, change]
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA[::-1]


def test_the_next_run_goes_on_where_the_last_one_failed(site: Played, folder: Path) -> None:
    shelf = shelved(site, cuts=[10_000, 1_000, 1_000])
    with pytest.raises(InputError, match=r"talk.mp4 ends after 12000 of 102400 bytes, 3 times"):
        fetched(f"{site.url}/talk.mp4", folder)
    assert [path.suffix for path in sorted(folder.iterdir()) if path.stat().st_size] == [
        ".json",
        ".part",
    ]
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    assert shelf.asked[-1]["range"] == "bytes=12000-"
    assert not folder.exists()


def test_a_server_that_promises_more_than_it_sends_is_told(site: Played, folder: Path) -> None:
    shelved(site, claims=len(DATA) + 5, ranges=False)
    with pytest.raises(InputError, match=f"ends after {len(DATA)} of {len(DATA) + 5} bytes"):
        fetched(f"{site.url}/talk.mp4", folder)


def test_a_server_that_sends_more_than_it_promises_is_cut_off(site: Played, folder: Path) -> None:
    shelved(site, claims=1_000)
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA[:1_000]


@pytest.mark.parametrize("length", [True, False])
def test_the_size_limit_holds_told_or_not(site: Played, folder: Path, length: bool) -> None:
    if length:
        shelved(site)
    else:
        site.routes["/talk.mp4"] = [lambda request: request.stream([DATA] * 50, "video/mp4")]
    small = PATIENT.model_copy(update={"max_gb": 0.0001})
    with pytest.raises(InputError, match=r"larger than the limit of 0.0001 GB .*remote.max_gb"):
        fetched(f"{site.url}/talk.mp4", folder, small)
    assert not [path for path in folder.glob("*") if path.suffix in (".part", ".whole")]


def test_what_a_server_refuses_is_one_sentence(site: Played, folder: Path) -> None:
    with pytest.raises(InputError, match=r"gone.mp4: the server answered 404 Not Found \(check"):
        fetched(f"{site.url}/gone.mp4?token=secret", folder)
    shelved(site, "/page", kind="text/html; charset=utf-8")
    with pytest.raises(InputError, match="page is a web page, not a video file"):
        fetched(f"{site.url}/page", folder, PATIENT.model_copy(update={"sites": False}))


def test_a_busy_server_is_asked_again(site: Played, folder: Path) -> None:
    site.routes["/talk.mp4"] = [raw(b"", 503), raw(b"", 429), Shelf()]
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    site.routes["/talk.mp4"] = [raw(b"", 503)]
    with pytest.raises(InputError, match="the server answered 503 Service Unavailable, 3 times"):
        fetched(f"{site.url}/talk.mp4", folder)


def test_a_server_that_hangs_up_or_is_not_there_is_told(site: Played, folder: Path) -> None:
    site.routes["/talk.mp4"] = [hang_up]
    with pytest.raises(InputError, match=r"talk.mp4 cannot be reached: .*, 3 times"):
        fetched(f"{site.url}/talk.mp4", folder)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(InputError, match="Connection refused, 3 times"):
            fetched(f"http://127.0.0.1:{unused.getsockname()[1]}/talk.mp4", folder)


def test_a_server_that_falls_silent_is_given_up(site: Played, folder: Path) -> None:
    silent = threading.Event()

    def stall(request: Asked) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(b"x")
        request.wfile.flush()
        silent.wait(60)

    site.routes["/talk.mp4"] = [stall]
    hasty = PATIENT.model_copy(update={"timeout": 0.2, "retries": 1})
    with pytest.raises(InputError, match="the server has stopped sending, 2 times"):
        fetched(f"{site.url}/talk.mp4", folder, hasty)
    silent.set()


def test_a_server_that_drips_is_given_up(site: Played, folder: Path) -> None:
    over = threading.Event()

    def drip(request: Asked) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000000")
        request.end_headers()
        while not over.wait(0.02):
            request.wfile.write(b"x")
            request.wfile.flush()

    site.routes["/talk.mp4"] = [drip]
    hasty = PATIENT.model_copy(update={"timeout": 0.3, "retries": 0})
    with pytest.raises(InputError, match="the server sends next to nothing"):
        fetched(f"{site.url}/talk.mp4", folder, hasty)
    over.set()


def test_what_comes_packed_is_refused(site: Played, folder: Path) -> None:
    site.routes["/a.mp4"] = [lambda request: request.reply(b"x", Content_Encoding="gzip")]
    with pytest.raises(InputError, match="comes packed as gzip"):
        fetched(f"{site.url}/a.mp4", folder)


def test_a_password_is_told_to_its_server_and_to_no_other(site: Played, folder: Path) -> None:
    shelf = Shelf()
    with serving({"/real.mp4": [shelf]}) as other:
        site.routes["/talk.mp4"] = [redirect(f"{other.url}/real.mp4")]
        address = f"{site.url}/talk.mp4".replace("http://", "http://ann:word@")
        assert fetched(address, folder) == DATA
    assert site.asked[0][2]["authorization"] == "Basic YW5uOndvcmQ="
    assert "authorization" not in shelf.asked[0]


def test_a_full_disk_is_one_sentence(
    site: Played, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved(site)

    def full(self: Any, opened: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Spool, "_copy", full)
    with pytest.raises(UsageError, match=r"No space left on device .*set remote.path"):
        fetched(f"{site.url}/talk.mp4", folder)


# -- who may be asked


def redirect(target: str) -> Move:
    return lambda request: request.reply(b"", 302, Location=target)


@pytest.mark.parametrize(
    "ip",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
        *("0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1"),
        *("fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:a00:1", "2002:7f00:1::"),
        *("64:ff9b::7f00:1", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
    ],
)
def test_addresses_that_are_not_of_the_public_internet(ip: str) -> None:
    assert not guard.public(ip)


@pytest.mark.parametrize("ip", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1", "2002:808:808::"])
def test_addresses_of_the_public_internet(ip: str) -> None:
    assert guard.public(ip)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1", "169.254.169.254"]
)
def test_a_private_machine_is_refused_however_it_is_spelled(host: str, folder: Path) -> None:
    with pytest.raises(InputError, match=r"private network: refused .*remote.private=true|found"):
        fetched(f"http://{host}:9/talk.mp4", folder, Remote(retries=0))


@pytest.fixture
def only_here(site: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    """127.0.0.1 stands for a public machine; every other one is what it is."""
    public = guard.public
    monkeypatch.setattr(guard, "public", lambda ip: ip == "127.0.0.1" or public(ip))


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2/x", "http://169.254.169.254/latest/", "http://[::1]/x"]
)
@pytest.mark.usefixtures("only_here")
def test_a_redirect_to_a_private_machine_is_refused(
    site: Played, folder: Path, target: str
) -> None:
    site.routes["/hop"] = [redirect(target)]
    site.routes["/talk.mp4"] = [redirect("/hop")]
    with pytest.raises(InputError, match="private network: refused"):
        fetched(f"{site.url}/talk.mp4", folder, Remote(retries=0))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_a_redirect_leads_to_web_servers_only(site: Played, folder: Path, target: str) -> None:
    site.routes["/talk.mp4"] = [redirect(target)]
    with pytest.raises(InputError):
        fetched(f"{site.url}/talk.mp4", folder, PATIENT.model_copy(update={"retries": 0}))


def test_redirects_in_a_circle_end(site: Played, folder: Path) -> None:
    site.routes["/talk.mp4"] = [redirect("/talk.mp4")]
    with pytest.raises(InputError, match="leads nowhere"):
        fetched(f"{site.url}/talk.mp4", folder)


def test_a_name_that_changes_its_mind_is_asked_once(
    site: Played, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the address that was checked is the one that is connected to."""
    answers = [("93.184.216.34", site.server_port), ("127.0.0.1", site.server_port)]
    resolve, reached = socket.getaddrinfo, list[Any]()

    def lying(host: str, *rest: Any, **options: Any) -> Any:
        if host != "rebind.example":
            return resolve(host, *rest, **options)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", answers.pop(0))]

    def connect(address: Any, timeout: float) -> Any:
        reached.append(address[0])
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", lying)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(InputError, match="Connection refused"):
        fetched(f"http://rebind.example:{site.server_port}/x.mp4", folder, Remote(retries=0))
    assert reached == ["93.184.216.34"]
    with pytest.raises(InputError, match=r"rebind.example \(127.0.0.1\) is this machine"):
        fetched(f"http://rebind.example:{site.server_port}/x.mp4", folder, Remote(retries=0))
    assert reached == ["93.184.216.34"]


def test_through_a_proxy_the_target_is_still_checked(
    site: Played, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", site.url)
    site.routes["http://93.184.216.34/talk.mp4"] = [Shelf()]
    assert fetched("http://93.184.216.34/talk.mp4", folder, Remote()) == DATA
    with pytest.raises(InputError, match="private network: refused"):
        fetched("http://10.0.0.1/talk.mp4", folder, Remote(retries=0))


# -- other file systems


@pytest.fixture
def memory() -> Iterator[Callable[[str, bytes], str]]:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")

    def put(name: str, data: bytes) -> str:
        files.pipe(f"/{name}", data)
        return f"memory://{name}"

    yield put
    files.store.clear()


def test_a_file_in_a_store_is_fetched_and_its_version_known(
    memory: Callable[[str, bytes], str], folder: Path
) -> None:
    address = memory("talks/one.mp4", DATA)
    with Spool(address, Remote(), folder, told) as spooled:
        path, version = spooled.path()
        assert path.read_bytes() == DATA
        assert version.telling
        assert version.length == len(DATA)
    with Spool(address, Remote(), folder, told) as again, pytest.raises(Unchanged):
        again.path(version)
    memory("talks/one.mp4", DATA[::-1])
    with Spool(address, Remote(), folder, told) as changed:
        assert changed.path(version)[0].read_bytes() == DATA[::-1]


def test_a_file_exchanged_in_a_store_while_it_is_read_is_fetched_again(
    memory: Callable[[str, bytes], str], folder: Path
) -> None:
    address, changes = memory("one.mp4", DATA), [DATA[::-1]]

    def change(done: float, total: float) -> None:
        if changes:
            memory("one.mp4", changes.pop())

    with Spool(address, Remote(), folder, change) as spooled:
        assert spooled.path()[0].read_bytes() == DATA[::-1]


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("memory://nothing.mp4", "memory://nothing.mp4 does not exist"),
        ("nosuch://a/b.mp4", "nosuch:// is no kind of address"),
        ("simplecache::memory://a", "chains file systems|is no kind"),
        ("memory://a::http://127.0.0.1/x", "chains file systems"),
        ("ftp://127.0.0.1/x.mp4", "private network: refused"),
        ("sftp://10.0.0.1/x.mp4", "private network: refused"),
    ],
)
@pytest.mark.usefixtures("memory")
def test_what_no_file_system_gives_is_one_sentence(
    address: str, message: str, folder: Path
) -> None:
    with pytest.raises(InputError, match=message):
        fetched(address, folder, Remote(retries=0))


# -- video sites


@pytest.fixture
def tube(site: Played, monkeypatch: pytest.MonkeyPatch) -> str:
    """A video site on loopback that yt-dlp knows; gives the address of a page."""
    yt_dlp = pytest.importorskip("yt_dlp")
    from yt_dlp import extractor
    from yt_dlp.extractor.common import InfoExtractor

    class TubeIE(InfoExtractor):  # type: ignore[misc]
        _VALID_URL = r"http://127\.0\.0\.1:\d+/watch/(?P<id>\w+)"
        IE_NAME = "tube"

        def _real_extract(self, url: str) -> dict[str, Any]:
            name = self._match_id(url)
            if name == "gone":
                raise yt_dlp.utils.ExtractorError("This video is private", expected=True)
            if name == "live":
                return {"id": name, "title": "x", "is_live": True, "url": site.url + "/x.mp4"}
            return {"id": name, "title": "A talk", "url": f"{site.url}/{name}.mp4", "ext": "mp4"}

    class Downloader(yt_dlp.YoutubeDL):  # type: ignore[misc,name-defined]
        def __init__(self, options: dict[str, Any]) -> None:
            super().__init__({**options, "allowed_extractors": ["tube"]})
            self.add_info_extractor(TubeIE())

    monkeypatch.setattr(yt_dlp, "YoutubeDL", Downloader)
    monkeypatch.setattr(extractor, "gen_extractor_classes", lambda: [TubeIE])
    for name in ("one", "gone", "live"):
        shelved(site, f"/watch/{name}", kind="text/html", etag="")
    return f"{site.url}/watch"


def test_a_page_of_a_video_site_gives_its_video(site: Played, folder: Path, tube: str) -> None:
    shelved(site, "/one.mp4", etag="")
    with Spool(f"{tube}/one", PATIENT, folder, told) as spooled:
        path, version = spooled.path()
        assert path.read_bytes() == DATA
        assert version.etag == "tube:one:0"
    assert not folder.exists()
    with Spool(f"{tube}/one", PATIENT, folder, told) as again, pytest.raises(Unchanged):
        again.path(version)


@pytest.mark.parametrize(
    ("name", "message"),
    [("gone", "cannot be fetched: .*This video is private"), ("live", "is a live stream")],
)
def test_what_a_video_site_does_not_give_is_one_sentence(
    name: str, message: str, folder: Path, tube: str
) -> None:
    with pytest.raises(InputError, match=message):
        fetched(f"{tube}/{name}", folder)


def test_the_size_limit_holds_for_sites(site: Played, folder: Path, tube: str) -> None:
    shelved(site, "/one.mp4", etag="")
    small = PATIENT.model_copy(update={"max_gb": 0.0001})
    with pytest.raises(InputError, match="larger than the limit"):
        fetched(f"{tube}/one", folder, small)


def test_a_page_of_no_known_site_is_told(site: Played, folder: Path, tube: str) -> None:
    shelved(site, "/page", kind="text/html")
    with pytest.raises(InputError, match=r"is a web page, not a video file \(name the video file"):
        fetched(f"{site.url}/page", folder)


# -- the spool


def test_what_killed_runs_have_left_is_dropped(folder: Path) -> None:
    folder.mkdir()
    for name in ("old.part", "old.whole", "young.part"):
        (folder / name).write_bytes(b"x")
    for name in ("use-old", "use-young", "use-held"):
        (folder / name).mkdir()
        (folder / name / "talk.mp4").write_bytes(b"x")
    filelock = pytest.importorskip("filelock")
    with filelock.FileLock(folder / "use-held" / spool.ALIVE):
        for name in ("old.part", "old.whole", "use-old", "use-held"):
            os.utime(folder / name, (0, 0))
        spool.tidy(folder)
        left = {path.name for path in folder.iterdir() if path.suffix != ".lock"}
    assert left == {"young.part", "use-young", "use-held"}


def test_two_at_once_share_one_download(site: Played, folder: Path) -> None:
    shelf = shelved(site)
    address = f"{site.url}/talk.mp4"
    with Spool(address, PATIENT, folder, told) as one:
        first, _ = one.path()
        with Spool(address, PATIENT, folder, told) as two:
            second, _ = two.path()
            assert second != first
        assert not second.exists()
        assert first.read_bytes() == DATA
    assert [asked.get("if-none-match") for asked in shelf.asked] == [None, '"one"']
    assert not folder.exists()


def test_a_folder_that_others_remove_on_leaving_is_made_again(
    site: Played, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved(site)
    make, tidy, left = Path.mkdir, spool.tidy, [5]

    def made_and_removed(self: Path, *words: Any, **named: Any) -> None:
        make(self, *words, **named)
        if self == folder and left[0]:
            left[0] -= 1
            folder.rmdir()

    def removed_and_tidied(self: Path) -> None:
        if folder.exists():
            folder.rmdir()
        tidy(self)

    monkeypatch.setattr(Path, "mkdir", made_and_removed)
    monkeypatch.setattr(spool, "tidy", removed_and_tidied)
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    assert left[0] == 0


def test_many_who_come_and_go_do_not_take_the_folder_from_each_other(
    site: Played, folder: Path
) -> None:
    wrong: list[Exception] = []

    def refused(number: int) -> None:
        for turn in range(20):
            try:
                fetched(f"{site.url}/{number}-{turn}.mp4", folder, Remote())
            except InputError as error:
                if "private" not in str(error):
                    wrong.append(error)
            except UsageError as error:
                wrong.append(error)

    threads = [threading.Thread(target=refused, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert not folder.exists()


def test_what_the_disk_refuses_to_one_file_stops_no_other(
    site: Played, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelved(site)

    def too_large(self: Any, opened: Any) -> None:
        raise OSError(27, "File too large")

    monkeypatch.setattr(Spool, "_copy", too_large)
    with pytest.raises(InputError, match=r"cannot be spooled to .*File too large"):
        fetched(f"{site.url}/talk.mp4", folder)


def test_an_interrupted_run_leaves_what_it_has_fetched(site: Played, folder: Path) -> None:
    shelf = shelved(site)

    def interrupted() -> None:
        with Spool(f"{site.url}/talk.mp4", PATIENT, folder, told) as spooled:
            spooled.path()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert fetched(f"{site.url}/talk.mp4", folder) == DATA
    assert shelf.asked[-1]["if-none-match"] == '"one"'
    assert not folder.exists()


# -- from end to end


@pytest.fixture
def talk(make_video: VideoMaker) -> bytes:
    pictures = [np.full((90, 160, 3), 40 + 150 * (i // 20 % 2), np.uint8) for i in range(40)]
    return make_video("made.mp4", pictures, 10, np.zeros(16_000 * 4, np.float32)).read_bytes()


def session_of(**more: Any) -> pipeline.Session:
    flags = {f"models.{role}": "fake" for role in ("llm", "speech", "vision", "reader")}
    flags |= {"models.embed": "none", "remote.private": True, "remote.retries": 0}
    return pipeline.Session.open(load({**flags, **more}).settings)


def test_a_second_question_fetches_nothing(site: Played, talk: bytes) -> None:
    shelf = shelved(site, "/talk.mp4?token=secret", data=talk)
    source = pipeline.Source(f"{site.url}/talk.mp4?token=secret")
    with session_of() as session:
        first = pipeline.describe(source, session)
        assert first.ran
        assert first.timeline.video.name == "talk.mp4"
        assert first.timeline.video.path == f"{site.url}/talk.mp4"
        second = pipeline.describe(source, session)
        assert second.ran == ()
        assert second.timeline == first.timeline
        assert "secret" not in json.dumps(session.store.rows("SELECT * FROM videos"))
        assert "secret" not in json.dumps(session.store.rows("SELECT * FROM addresses"))
        assert not spool_path(session.settings).exists()
    assert [asked.get("if-none-match") for asked in shelf.asked] == [None, '"one"']


def test_new_work_on_a_known_video_fetches_it_again(site: Played, talk: bytes) -> None:
    shelf = shelved(site, data=talk)
    source = pipeline.Source(f"{site.url}/talk.mp4")
    with session_of() as session:
        pipeline.describe(source, session)
    with session_of(**{"screen_text.min_score": 0.5}) as session:
        assert pipeline.describe(source, session).ran == ("screen_text",)
    assert len(shelf.asked) == 3


def test_a_copy_of_a_known_file_is_known_by_its_bytes(
    site: Played, talk: bytes, tmp_path: Path
) -> None:
    shelved(site, data=talk)
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(talk)
    with session_of() as session:
        first = pipeline.describe(pipeline.Source(copy), session)
        second = pipeline.describe(pipeline.Source(f"{site.url}/talk.mp4"), session)
    assert second.timeline.video.id == first.timeline.video.id
    assert second.ran == ()


def test_an_address_with_another_file_behind_it_is_another_video(
    site: Played, talk: bytes, make_video: VideoMaker
) -> None:
    shelf = shelved(site, data=talk)
    other = make_video("other.mp4", [np.full((90, 160, 3), 90, np.uint8)] * 20)
    source = pipeline.Source(f"{site.url}/talk.mp4")
    with session_of() as session:
        first = pipeline.describe(source, session).timeline.video
        shelf.data, shelf.etag = other.read_bytes(), '"two"'
        assert pipeline.describe(source, session).timeline.video.id != first.id


def test_a_file_exchanged_between_question_and_fetching_is_noticed(
    site: Played, talk: bytes, make_video: VideoMaker
) -> None:
    shelf = shelved(site, data=talk)
    source = pipeline.Source(f"{site.url}/talk.mp4")
    with session_of() as session:
        pipeline.describe(source, session)

    def change(request: Asked) -> None:
        shelf(request)
        shelf.data, shelf.etag = talk + b"more", '"two"'

    site.routes["/talk.mp4"] = [change]
    with session_of(**{"screen_text.min_score": 0.5}) as session:
        before = session.store.rows("SELECT count(*) FROM lines")
        with pytest.raises(InputError, match=r"talk\.mp4 changed while it was read"):
            pipeline.describe(source, session)
        assert session.store.rows("SELECT count(*) FROM lines") == before


@pytest.mark.parametrize(
    "text", ["#EXTM3U\n/etc/passwd\n", "ffconcat version 1.0\nfile x\n", '<?xml?>\n<MPD xmlns="">']
)
def test_a_playlist_is_not_opened(site: Played, text: str) -> None:
    shelved(site, "/list.mp4", data=text.encode())
    with session_of() as session, pytest.raises(InputError, match="is a playlist of other files"):
        pipeline.describe(pipeline.Source(f"{site.url}/list.mp4"), session)


def test_what_is_no_video_leaves_nothing_behind(site: Played) -> None:
    shelved(site, "/text.mp4", data=b"just words " * 100)
    with session_of() as session:
        with pytest.raises(InputError, match=r"text.mp4 cannot be read as video: it is a text"):
            pipeline.describe(pipeline.Source(f"{site.url}/text.mp4"), session)
        assert not spool_path(session.settings).exists()


def test_a_plan_and_an_input_go_the_same_way(site: Played, talk: bytes) -> None:
    shelved(site, data=talk)
    with session_of() as session:
        states = pipeline.plan(pipeline.Source(f"{site.url}/talk.mp4"), session)
        assert [state.state for state in states][:2] == ["to run", "to run"]
        with intake.taken(f"{site.url}/talk.mp4", session) as found:
            assert found.original.path().read_bytes() == talk


def test_a_batch_fetches_each_video_once(site: Played, talk: bytes) -> None:
    from silvr_cli.engine import work
    from silvr_cli.engine.jobs import Ask, Job

    shelf = shelved(site, data=talk)
    questions = (Ask("What is shown?"), Ask("What is said?"))
    with session_of() as session:
        for run in range(2):
            job = Job(0, f"{site.url}/talk.mp4", "ask", questions)
            results = work.work(job, session.settings)
            assert [result.error for result in results] == [None, None], run
            assert {result.content for result in results} == {
                work.look(job, session).content,
            }
            assert not spool_path(session.settings).exists()
        missing = work.work(
            Job(1, f"{site.url}/gone.mp4", "ask", (Ask("What?"),)), session.settings
        )
        assert missing[0].error
        assert "404" in missing[0].error.message
    assert sum("if-none-match" not in asked for asked in shelf.asked) == 1


def test_looking_again_fetches_again(site: Played, talk: bytes, tmp_path: Path) -> None:
    from silvr_cli import places
    from silvr_cli.captioning import Captioner
    from silvr_cli.records import Moment

    shelved(site, data=talk)
    with session_of() as session:
        described = pipeline.describe(pipeline.Source(f"{site.url}/talk.mp4"), session)
        with Captioner(described, session) as captioner:
            assert [line.level for line in captioner.coarser(16.0)] == [16.0]
        cut = places.cut_out(described, [Moment(1.0, 2.0, 1.0, "x")], tmp_path, True, session)
        assert len(cut) == 1
        assert not spool_path(session.settings).exists()


def test_gc_drops_what_is_left_of_downloads(site: Played) -> None:
    import subprocess
    import sys

    shelved(site, cuts=[1_000])
    with session_of() as session:
        with pytest.raises(InputError, match="ends after 1000"):
            pipeline.describe(pipeline.Source(f"{site.url}/talk.mp4"), session)
        folder = spool_path(session.settings)
    assert list(folder.glob("*.part"))
    for days, left in (("1", 1), ("0", 0)):
        command = [sys.executable, "-m", "silvr_cli", "cache", "gc", "--keep-days", days]
        subprocess.run(command, check=True, capture_output=True)
        assert len(list(folder.glob("*.part"))) == left
