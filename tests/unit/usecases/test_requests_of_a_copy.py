"""What a copy job reads: of settings that were in order, under its lease, and of referrers."""

from dataclasses import replace

import pytest

from ecr_steward.adapters.memory import InMemoryLeases, InMemoryNotices, InMemorySeenSettings
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.usecases.leasing import Lessor
from ecr_steward.usecases.replicate_image import replicate_image
from ecr_steward.usecases.seen_settings import SettingsMemory
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, rulebook
from tests.given.worlds import World, config, manifest, world

ONE, TWO, THREE = (manifest(name, blobs=[config(name)]) for name in ("1.0.0", "1.1.0", "1.2.0"))
REPLICA = API.in_registry(AWAY)


class Copying:
    """Copy jobs with one memory of settings."""

    def __init__(self) -> None:
        self.made: World = world([ONE, TWO, THREE], {"1.0.0": ONE, "1.1.0": TWO, "1.2.0": THREE})
        self.seen = InMemorySeenSettings(noon)
        self.methods: list[str] = []

    def copy(self, digest_of: str, *, rulebook_digest: str = "a rulebook") -> tuple[Outcome, ...]:
        """Copy the image with this tag; ``methods`` are what the job has called then."""
        rules, registry = replace(rulebook(), digest=rulebook_digest), self.made.registry
        held = {"1.0.0": ONE, "1.1.0": TWO, "1.2.0": THREE}[digest_of]
        before = len(registry.calls.entries)
        outcomes = replicate_image(
            ImageRef(API, held.digest),
            rules=rules,
            registry=registry,
            content=self.made.content,
            scans=self.made.scans,
            notices=InMemoryNotices(),
            now=noon,
            applier=applier_of(registry, self.made.content),
            lessor=Lessor(InMemoryLeases(), 900),
            memory=SettingsMemory(rules, self.seen, noon),
        )
        self.methods = registry.calls.methods[before:]
        return outcomes


@pytest.fixture
def copying() -> Copying:
    """The first image made the repository, the second one found its settings in order."""
    made = Copying()
    made.copy("1.0.0")
    made.copy("1.1.0")
    return made


def test_settings_of_a_destination_are_not_read_when_they_were_in_order(copying: Copying) -> None:
    assert copying.methods.count("repository") == 1

    (outcome,) = copying.copy("1.2.0")

    assert (outcome.error, copying.methods.count("repository")) == (None, 0)
    assert copying.made.registry.tags_of(ImageRef(REPLICA, THREE.digest)) == {"1.2.0"}


def test_settings_of_a_destination_are_mended_when_the_rulebook_is_another(copying: Copying) -> None:
    copying.made.registry.change_settings(REPLICA, scan_on_push=False)

    copying.copy("1.2.0", rulebook_digest="another")

    assert copying.made.registry.settings_of(REPLICA).scan_on_push is True


def test_a_destination_is_made_with_its_settings_when_one_that_was_in_order_was_deleted() -> None:
    copying = Copying()
    copying.seen.note(REPLICA, "a rulebook", noon())

    (outcome,) = copying.copy("1.0.0")

    assert outcome.error is None
    assert copying.made.registry.settings_of(REPLICA).scan_on_push is True


def test_a_manifest_is_read_for_the_plan_and_for_the_put_and_no_list_of_referrers_where_there_are_none(
    copying: Copying,
) -> None:
    copying.copy("1.2.0")

    assert copying.methods.count("manifest") == 2
    assert "referrers" not in copying.methods
