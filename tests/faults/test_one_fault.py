"""One fault at each kind of request: what is late or broken off arrives all the same, and what is wrong is told."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from ecr_steward.errors import (
    DigestMismatchError,
    InvalidManifestError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    ThrottledError,
)
from lab.proxy import Behaviour
from tests.faults import ways
from tests.faults.copying import BLOBS, SMALL, SMALL_MANIFESTS, TAG, put
from tests.faults.places import Repository, World, broken
from tests.faults.road import Road, road_between

ANYWHERE: dict[str, Behaviour] = {
    "cut when idle": ways.cut_idle,
    "cut at once": ways.cut_at_once,
    "reset": ways.reset,
    "done and not said": ways.cut_unsaid,
    "cut in the status": ways.cut_in_status,
    "cut in the headers": ways.cut_in_headers,
    "drip": ways.drip,
    "429": ways.refuse(429, {"Retry-After": "1"}),
    "500": ways.refuse(500),
    "503": ways.refuse(503, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}),
}
WHERE_SOMETHING_IS_SENT: dict[str, Behaviour] = {
    "cut behind the first byte sent": ways.cut_in_request(0),
    "cut in what is sent": ways.cut_in_request(0.5),
    "cut before the last byte sent": ways.cut_in_request(1),
}
WHERE_SOMETHING_IS_READ: dict[str, Behaviour] = {
    "cut before the body": ways.cut_in_answer(0),
    "cut behind its first byte": ways.cut_in_answer(0.000001),
    "cut in the body": ways.cut_in_answer(0.5),
    "cut before its last byte": ways.cut_in_answer(1),
}
FAULTS = ANYWHERE | WHERE_SOMETHING_IS_SENT | WHERE_SOMETHING_IS_READ
BEFORE_EACH_COMMIT = {
    *("cut at once", "done and not said", "429", "cut in what is sent", "cut in the body"),
    *("a manifest's bit", "a bit of a blob sent", "another digest than a tag's", "another image read back"),
    *("GET blob", "PUT tag"),
}
"""One fault of each kind. The others, which differ by a few bytes, a digit or the request, are tried in CI."""


def tried(name: str, *values: object) -> Any:
    """The parameters of a fault, which are its name unless others are given."""
    return pytest.param(*values or (name,), marks=[] if name in BEFORE_EACH_COMMIT else [pytest.mark.slow])


def storms(side: str, status: int, error: type[Exception], *kinds: str) -> list[Any]:
    return [tried(kind, side, kind, status, error) for kind in kinds]


SENDING = {"PUT upload", "PATCH upload", "PUT manifest", "PUT tag"}
READING = {"GET tag", "GET manifest", "GET blob", "GET stored", "GET referrers"}


@pytest.fixture(scope="module")
def new_source(world: World) -> Callable[[str], Repository]:
    """A repository with the image, at a registry of this kind. Nobody changes it."""

    @cache
    def of(kind: str) -> Repository:
        made: Repository = world.place(kind)
        put(made.store(), SMALL_MANIFESTS, BLOBS, SMALL)
        return made

    return of


@pytest.fixture(params=["ecr", pytest.param("cncf", marks=[pytest.mark.client, pytest.mark.slow])])
def road(request: pytest.FixtureRequest, world: World, new_source: Callable[[str], Repository]) -> Iterator[Road]:
    """Between two repositories of one registry, that of Amazon or that of CNCF."""
    with road_between(new_source(request.param), world.place(request.param)) as road:
        yield road


@pytest.fixture
def plain_road(world: World, new_source: Callable[[str], Repository]) -> Iterator[Road]:
    """Between two repositories of a registry that is as the specification says."""
    with road_between(new_source("plain"), world.place("plain")) as road:
        yield road


@pytest.mark.parametrize("name", [tried(name) for name in FAULTS])
def test_an_image_arrives_when_each_kind_of_request_meets_a_fault_once(road: Road, name: str) -> None:
    kinds = [
        (side, kind)
        for side, kind in road.kinds
        if (name not in WHERE_SOMETHING_IS_SENT or kind in SENDING)
        and (name not in WHERE_SOMETHING_IS_READ or kind in READING)
    ]
    for side, kind in kinds:
        road.break_at(side, kind, FAULTS[name])

    road.copy()

    road.require_equal()
    assert [at for at in kinds if not road.has_met(*at)] == []


def test_an_image_arrives_when_each_kind_of_request_is_refused_three_times_in_a_row(road: Road) -> None:
    # Whoever uploads a blob tries four times in all, however many of its requests fail.
    for side, kind in [(side, kind) for side, kind in road.kinds if kind not in ("PATCH upload", "PUT upload")]:
        for nth, status in enumerate((429, 500, 503), 1):
            road.break_at(side, kind, ways.refuse(status, {"Retry-After": "1"}), nth=nth)

    road.copy()

    road.require_equal()


WRONG: dict[str, tuple[str, str, Behaviour, type[Exception] | tuple[type[Exception], ...], str]] = {
    "a manifest's bit": ("source", "GET manifest", ways.flip_in_answer, DigestMismatchError, "manifests/sha256:"),
    "a bit of what a tag shows": ("source", "GET tag", ways.flip_in_answer, DigestMismatchError, TAG),
    "a blob's bit": ("source", "GET blob", ways.flip_in_answer, DigestMismatchError, "sha256:"),
    "a bit of a blob sent": ("destination", "PUT upload", ways.flip_in_request, RefusedByRegistryError, "/uploads/"),
    "a bit of a manifest sent": (
        *("destination", "PUT manifest", ways.flip_in_request),
        *((InvalidManifestError, RefusedByRegistryError), "manifests/sha256:"),
    ),
    "too short a manifest": ("source", "GET manifest", ways.lie_about_length(-3), DigestMismatchError, "manifests/"),
    "too short a blob": ("source", "GET blob", ways.lie_about_length(-3), DigestMismatchError, "only .* of the"),
    "too long a manifest": (
        *("source", "GET manifest", ways.lie_about_length(10)),
        *(RegistryUnavailableError, "manifests/sha256:.*cut short"),
    ),
    "another digest than a tag's": ("source", "GET tag", ways.lie_about_digest, DigestMismatchError, ways.LIE),
    "another digest of a blob": (
        *("destination", "PUT upload", ways.lie_about_digest, DigestMismatchError),
        f"sha256:[0-9a-f]{{64}} was stored as '{ways.LIE}' in ",
    ),
    "another digest of a manifest": (
        *("destination", "PUT manifest", ways.lie_about_digest, DigestMismatchError),
        f"stored as '{ways.LIE}', not as sha256:",
    ),
    "another digest of the tag": (
        *("destination", "PUT tag", ways.lie_about_digest, DigestMismatchError),
        f"stored as '{ways.LIE}', not as sha256:",
    ),
    "another image read back": ("destination", "GET tag", ways.flip_in_answer, DigestMismatchError, TAG),
}


@pytest.mark.parametrize("name", [tried(name) for name in WRONG])
def test_it_is_told_what_is_wrong_and_the_next_run_mends_it(plain_road: Road, name: str) -> None:
    side, kind, behaviour, error, says = WRONG[name]
    plain_road.break_at(side, kind, behaviour)

    with pytest.raises(error, match=says):
        plain_road.copy()

    assert broken(plain_road.destination.reader()) == []
    plain_road.copy()
    plain_road.require_equal()


@pytest.mark.parametrize("kind", ["HEAD tag", "GET manifest", "HEAD blob", "HEAD manifest"])
def test_nobody_believes_a_digest_that_only_a_header_says(plain_road: Road, kind: str) -> None:
    """What is read is hashed; what is only asked for leads to reading it."""
    for side in plain_road.proxies:
        plain_road.break_at(side, kind, ways.lie_about_digest, times=100)

    plain_road.copy()

    plain_road.require_equal()


@pytest.mark.parametrize(
    ("side", "kind", "status", "error"),
    [
        *storms("source", 429, ThrottledError, "GET tag", "GET manifest", "GET blob", "GET referrers"),
        *storms("destination", 503, RegistryUnavailableError, "HEAD blob", "POST upload", "PUT upload"),
        *storms("destination", 500, RegistryUnavailableError, "PUT manifest", "PUT tag"),
    ],
)
def test_no_tag_is_there_when_a_storm_does_not_end(
    plain_road: Road, side: str, kind: str, status: int, error: type[Exception]
) -> None:
    plain_road.break_at(side, kind, ways.refuse(status), times=1000)

    with pytest.raises(error, match=f"/v2/.*: {status}"):
        plain_road.copy()

    assert TAG not in plain_road.destination.reader().tags()
    plain_road.mend()
    plain_road.copy()
    plain_road.require_equal()


def test_an_image_arrives_when_nobody_heard_that_its_tag_was_put_and_tags_are_immutable(
    world: World, new_source: Callable[[str], Repository]
) -> None:
    """It is put once more, and an immutable tag may be put as it is."""
    with road_between(new_source("ecr"), world.place("ecr", imageTagMutability="IMMUTABLE")) as road:
        road.break_at("destination", "PUT tag", ways.cut_unsaid)

        road.copy()

        road.require_equal()
        assert road.proxies["destination"].seen.count("PUT tag") == 2
