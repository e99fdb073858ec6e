"""The contract of ``Verdicts``: every test runs on the fake and on the adapter."""

from datetime import timedelta
from typing import Any

from ecr_steward.domain.judged import MOST_PARTS, Judged
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.domain.scans import Verdict

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
ONE, TWO, THREE = (Digest(f"sha256:{str(number) * 64}") for number in (1, 2, 3))


def test_nothing_is_known_of_a_repository_at_first(world: Any) -> None:
    assert world.verdicts.known(API) == ({}, {})


def test_verdicts_are_known_with_what_was_scanned_until_they_are_overwritten(world: Any) -> None:
    first = Judged(Verdict.FAIL, "a basis", world.clock(), (TWO, THREE))
    second = Judged(Verdict.PASS, "another", world.clock())
    world.verdicts.keep(API, {ONE: first, TWO: first})

    world.verdicts.keep(API, {TWO: second})

    assert world.verdicts.known(API) == ({ONE: first, TWO: second}, {})
    assert world.verdicts.known(API.in_registry(RegistryRef("111122223333", "eu-west-1"))) == ({}, {})


def test_a_verdict_and_an_event_about_an_image_do_not_overwrite_each_other(world: Any) -> None:
    judged = Judged(Verdict.WAIT, "a basis", world.clock())
    world.verdicts.hear(API, [ONE, TWO], world.clock())
    world.verdicts.keep(API, {ONE: judged})
    world.clock.pass_by(timedelta(minutes=5))
    world.verdicts.hear(API, [ONE], world.clock())

    assert world.verdicts.known(API) == ({ONE: judged}, {ONE: world.clock(), TWO: judged.at})


def test_many_verdicts_are_kept_at_once(world: Any) -> None:
    judged = Judged(Verdict.PASS, "a basis", world.clock(), (ONE,) * MOST_PARTS)
    many = {Digest(f"sha256:{number:064x}"): judged for number in range(60)}

    world.verdicts.keep(API, many)

    assert world.verdicts.known(API)[0] == many
