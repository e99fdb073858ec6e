"""A copy is killed between any two requests: no tag ever shows a part of an image, and the next run completes it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ecr_steward.domain.names import ImageTag
from lab.proxy import Exchange, FaultProxy, GoneError
from tests.faults.copier import Copier, copier
from tests.faults.copying import BLOBS, CONFIG, INDEX, MANIFESTS, PROOF, TAG, copy, put, require_equal
from tests.faults.places import Repository, World, broken, whole
from tests.given.graphs import fill, image_of

pytestmark = pytest.mark.slow

STEWARD = Path(sys.executable).with_name("ecr-steward")
COSIGN = ImageTag(f"sha256-{INDEX.digest.hex}.sig")
REGISTRIES = ["ecr", pytest.param("cncf", marks=[pytest.mark.client])]


@dataclass
class Counted:
    """Two proxies, whose requests are counted together; at one of them somebody is killed."""

    source: FaultProxy
    destination: FaultProxy
    kill: Callable[[], None]
    at: int
    is_done: bool
    """Whether the registry does what was asked for, before the kill."""
    count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, exchange: Exchange) -> None:
        with self._lock:
            self.count += 1
            is_last = self.count == self.at
        if is_last:
            if self.is_done:
                exchange.forward()
            self.kill()
            raise GoneError


@contextmanager
def counted(
    source: Repository, destination: Repository, kill: Callable[[], None], at: int, *, is_done: bool
) -> Iterator[Counted]:
    with FaultProxy(source.url) as out, FaultProxy(destination.url) as back:
        both = Counted(out, back, kill, at, is_done)
        out.watch = back.watch = both.watch
        yield both


@contextmanager
def looked_at(place: Repository) -> Iterator[None]:
    """Somebody reads all that any tag shows, again and again. All of it has to be there each time."""
    ended, wrong, looks = threading.Event(), list[str](), 0

    def look() -> None:
        nonlocal looks
        reader = place.reader()
        while not ended.is_set() and not wrong:
            try:
                wrong.extend(broken(reader))
            except Exception as error:
                wrong.append(repr(error))
            looks += 1
            ended.wait(0.01)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert wrong == []
    assert looks


@pytest.fixture(scope="module")
def process() -> Iterator[Copier]:
    with copier() as process:
        yield process


@pytest.fixture(params=REGISTRIES)
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def source(world: World, kind: str) -> Repository:
    """A registry with an image of two platforms, what refers to it, and what cosign attached to it."""
    made: Repository = world.place(kind)
    put(made.store(), MANIFESTS, BLOBS, INDEX)
    attached = image_of(CONFIG, PROOF)
    fill(made.store(), [attached], [CONFIG, PROOF])
    made.store().put_manifest(attached, COSIGN)
    return made


def kill_and_complete(world: World, process: Copier, kind: str, source: Repository, at: int, *, is_done: bool) -> bool:
    """Whether the copy was killed, and had not come to its end before."""
    destination = world.place(kind)
    with counted(source, destination, process.kill, at, is_done=is_done) as proxies, looked_at(destination):
        process.begin(source, destination, by=[proxies.source.url, proxies.destination.url])
        code = process.end()

        copy(source.store(), destination.store(), referrers=True)

    assert code == (-9 if proxies.count >= at else 0)
    require_equal(source.reader(), destination.reader(), referrers=True)
    assert whole(destination.reader(), COSIGN)
    return code != 0


def test_the_next_run_completes_what_was_killed_at_some_requests(
    world: World, process: Copier, kind: str, source: Repository
) -> None:
    killed = [kill_and_complete(world, process, kind, source, at, is_done=bool(at % 2)) for at in (30, 40, 50, 60)]

    assert killed == [True] * 4


@pytest.mark.parametrize(
    ("kind", "is_done"),
    [("ecr", False), ("plain", True), pytest.param("cncf", True, marks=pytest.mark.client)],
    ids=["before ECR has done it", "when a registry has done it", "when CNCF distribution has done it"],
)
def test_the_next_run_completes_what_was_killed_at_any_request(
    world: World, process: Copier, kind: str, source: Repository, is_done: bool
) -> None:
    at = 1
    while kill_and_complete(world, process, kind, source, at, is_done=is_done):
        at += 1

    assert at > 60


def test_no_tag_shows_a_part_of_an_image_between_any_two_requests(world: World, kind: str, source: Repository) -> None:
    destination = world.place(kind)
    wrong: list[str] = []
    with ExitStack() as stack:
        out, back = (stack.enter_context(FaultProxy(each.url)) for each in (source, destination))
        back.watch = lambda exchange: wrong.extend(broken(destination.reader()))

        copy(source.store(by=out.url), destination.store(by=back.url), referrers=True)

    assert wrong == []
    assert back.seen.count("PUT tag") >= 2


@pytest.mark.parametrize("kind", ["plain", pytest.param("cncf", marks=pytest.mark.client)])
@pytest.mark.parametrize("at", [1, 20, 45, 55, 60, 64])
def test_the_next_run_of_the_command_completes_what_was_killed(
    world: World, kind: str, source: Repository, at: int
) -> None:
    destination = world.place(kind)
    runs: list[subprocess.Popen[bytes]] = []
    begun = threading.Event()

    def kill() -> None:
        begun.wait(10)
        runs[-1].kill()

    with counted(source, destination, kill, at, is_done=bool(at % 2)) as proxies, looked_at(destination):
        for code in (-9, 0):
            places = [
                f"{proxy.url.removeprefix('http://')}/{end.name}:{TAG}"
                for proxy, end in ((proxies.source, source), (proxies.destination, destination))
            ]
            with subprocess.Popen([STEWARD, "copy", "--referrers", *places], env={**os.environ, "HOME": "/"}) as run:
                runs.append(run)
                begun.set()
            assert run.returncode == code

    require_equal(source.reader(), destination.reader(), referrers=True)
