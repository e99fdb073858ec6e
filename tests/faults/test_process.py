"""The command itself over a bad line: what it says, how it ends, and what is there then."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults import ways
from tests.faults.copying import BLOBS, SMALL, SMALL_MANIFESTS, TAG, put
from tests.faults.places import World, broken
from tests.faults.road import Road, road_between

pytestmark = pytest.mark.slow

STEWARD = Path(sys.executable).with_name("ecr-steward")


@pytest.fixture
def road(world: World) -> Iterator[Road]:
    source = world.place("plain")
    put(source.store(), SMALL_MANIFESTS, BLOBS, SMALL)
    with road_between(source, world.place("plain")) as road:
        yield road


@pytest.fixture
def run(road: Road, tmp_path: Path) -> Callable[[], tuple[int, Any]]:
    """Copies; the exit code, and what it says as JSON."""

    def run() -> tuple[int, Any]:
        ends = [(road.proxies["source"], road.source), (road.proxies["destination"], road.destination)]
        places = [f"{proxy.url.removeprefix('http://')}/{end.name}:{TAG}" for proxy, end in ends]
        command = [STEWARD, "copy", "--referrers", "--json", *places]
        environment = {**os.environ, "HOME": str(tmp_path)}
        done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
        return done.returncode, json.loads(done.stdout)

    return run


@pytest.mark.parametrize(
    "fault",
    [ways.reset, ways.cut_unsaid, ways.cut_in_headers, ways.refuse(503), ways.refuse(429)],
    ids=["reset", "done and not said", "cut in the headers", "503", "429"],
)
def test_the_command_copies_when_each_kind_of_request_meets_a_fault_once(
    road: Road, run: Callable[[], tuple[int, Any]], fault: Any
) -> None:
    for side, kind in road.kinds:
        road.break_at(side, kind, fault)

    code, said = run()

    assert (code, said["failures"]) == (0, [])
    road.require_equal()


@pytest.mark.parametrize(
    ("at", "fault", "says"),
    [
        (("source", "GET blob"), ways.flip_in_answer, ("DigestMismatchError", "sha256:")),
        (("source", "GET manifest"), ways.lie_about_length(-3), ("DigestMismatchError", "manifests/sha256:")),
        (("destination", "PUT tag"), ways.lie_about_digest, ("DigestMismatchError", f"manifests/{TAG} was stored as")),
    ],
)
def test_the_command_says_what_failed_and_the_next_one_completes_it(
    road: Road, run: Callable[[], tuple[int, Any]], at: tuple[str, str], fault: Any, says: tuple[str, str]
) -> None:
    road.break_at(*at, fault, times=5)

    code, said = run()

    (failure,) = said["failures"]
    assert (code, failure["error"]) == (1, says[0])
    assert says[1] in failure["why"]
    assert broken(road.destination.reader()) == []
    road.mend()
    assert run()[0] == 0
    road.require_equal()
