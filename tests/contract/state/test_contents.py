"""The contract of ``Contents``: every test runs on the fake and on the adapter."""

from datetime import timedelta

from ecr_steward.adapters.state_contents import KEPT, LARGEST, StateContents
from ecr_steward.domain.known_contents import KnownContents, Said
from ecr_steward.domain.names import Digest
from tests.given.rules import API, AWAY

ONE, TWO, THREE = (Digest(f"sha256:{str(number) * 64}") for number in (1, 2, 3))
SAID = Said("asked", {"source": "https://example.com"}, {ONE: {"revision": "a"}, TWO: {}})


def test_nothing_is_known_of_a_repository_at_first(world):
    assert world.contents.known(API) == KnownContents()


def test_what_digests_say_is_known_from_then_on_in_their_repository(world):
    world.contents.keep(API, KnownContents({ONE: SAID}, {THREE: ""}))
    world.contents.keep(API, KnownContents({TWO: Said("", {}, {})}, {TWO: "application/spdx+json"}))

    assert world.contents.known(API) == KnownContents(
        {ONE: SAID, TWO: Said("", {}, {})}, {THREE: "", TWO: "application/spdx+json"}
    )
    assert world.contents.known(API.in_registry(AWAY)) == KnownContents()


def test_what_was_asked_anew_overwrites_what_was_said_before(world):
    world.contents.keep(API, KnownContents({ONE: SAID}))
    again = Said("asked otherwise", {}, {})
    world.contents.keep(API, KnownContents({ONE: again}))

    assert world.contents.known(API).said == {ONE: again}


def test_the_table_forgets_in_its_time_and_takes_no_large_labels(world):
    if not isinstance(world.contents, StateContents):
        return
    large = Said("asked", {"source": "x" * LARGEST}, {})
    world.contents.keep(API, KnownContents({ONE: SAID, TWO: large}))
    assert set(world.contents.known(API).said) == {ONE}

    world.clock.pass_by(KEPT)
    assert set(world.contents.known(API).said) == {ONE}
    world.clock.pass_by(KEPT + timedelta(seconds=1))
    assert world.contents.known(API) == KnownContents()
