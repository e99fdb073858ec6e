"""A registry that sends us elsewhere: no login goes there, and nothing is taken that was not asked for."""

from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ecr_steward.errors import DigestMismatchError, RefusedByRegistryError
from tests.faults import ways
from tests.faults.copying import BLOBS, LARGE, SMALL, SMALL_MANIFESTS, TAG, put
from tests.faults.places import Repository, World, digest_of
from tests.faults.road import Road, road_between


class Elsewhere(ThreadingHTTPServer):
    """Another server, which keeps what it is asked, and has some content under any path that ends like its digest."""

    daemon_threads = True

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.content: dict[str, bytes] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                outer.asked.append((self.command, {name.lower(): value for name, value in self.headers.items()}))
                content = outer.content.get(self.path.rpartition("/")[2])
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(content or b"")

            do_GET = do_HEAD = do_PUT = do_PATCH = do_POST = do_DELETE = answer

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def new_source(world: World) -> Callable[[str], Repository]:
    @cache
    def of(kind: str) -> Repository:
        made: Repository = world.place(kind)
        put(made.store(), SMALL_MANIFESTS, BLOBS, SMALL)
        return made

    return of


@pytest.fixture
def road(world: World, new_source: Callable[[str], Repository]) -> Iterator[Road]:
    """Between two registries that want a login."""
    with road_between(new_source("ecr"), world.place("ecr")) as road:
        yield road


@pytest.mark.parametrize(
    "status", [307, *(pytest.param(each, marks=pytest.mark.slow) for each in (301, 302, 303, 308))]
)
def test_a_blob_is_fetched_without_the_login_when_it_is_stored_elsewhere(
    road: Road, elsewhere: Elsewhere, status: int
) -> None:
    elsewhere.content = {digest_of(content): content for content in BLOBS}
    road.break_at("source", "GET blob", ways.send_to(elsewhere.url, status), times=4)

    road.copy()

    road.require_equal()
    assert [method for method, _ in elsewhere.asked] == ["GET"] * 4
    assert [headers for _, headers in elsewhere.asked if "authorization" in headers] == []


def test_a_blob_is_refused_when_other_bytes_are_stored_elsewhere(road: Road, elsewhere: Elsewhere) -> None:
    elsewhere.content = {digest_of(content): content for content in BLOBS} | {digest_of(LARGE): LARGE[::-1]}
    road.break_at("source", "GET blob", ways.send_to(elsewhere.url), times=4)

    with pytest.raises(DigestMismatchError, match=digest_of(LARGE)):
        road.copy()

    assert TAG not in road.destination.reader().tags()
    road.mend()
    road.copy()
    road.require_equal()


@pytest.mark.parametrize("kind", ["GET tag", "GET manifest", "GET referrers"])
def test_the_login_is_not_shown_elsewhere_when_a_manifest_or_list_is_looked_for_there(
    road: Road, elsewhere: Elsewhere, kind: str
) -> None:
    elsewhere.content = {child.digest.value: b"{}" for child in SMALL_MANIFESTS}
    road.break_at("source", kind, ways.send_to(elsewhere.url), times=100)

    error = road.attempt()

    assert elsewhere.asked
    assert [headers for _, headers in elsewhere.asked if "authorization" in headers] == []
    assert error is None or TAG not in road.destination.reader().tags()
    road.mend()
    road.copy()
    road.require_equal()


@pytest.mark.parametrize("kind", ["POST upload", "PATCH upload", "PUT upload", "PUT manifest", "PUT tag"])
def test_nothing_is_brought_elsewhere(road: Road, elsewhere: Elsewhere, kind: str) -> None:
    road.break_at("destination", kind, ways.send_to(elsewhere.url), times=100)

    with pytest.raises(RefusedByRegistryError, match="307"):
        road.copy()

    assert elsewhere.asked == []
    assert TAG not in road.destination.reader().tags()
    road.mend()
    road.copy()
    road.require_equal()


@pytest.mark.parametrize("kind", ["POST upload", "PATCH upload"])
def test_no_upload_goes_on_elsewhere(road: Road, elsewhere: Elsewhere, kind: str) -> None:
    road.break_at("destination", kind, ways.locate_at(elsewhere.url), times=100)

    with pytest.raises(RefusedByRegistryError, match="which is another server"):
        road.copy()

    assert elsewhere.asked == []
    assert TAG not in road.destination.reader().tags()
