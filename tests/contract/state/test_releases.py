"""The contract of ``Releases``."""

from dataclasses import replace
from datetime import timedelta

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.releases import Release

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
IMAGE = ImageRef(API, Digest("sha256:" + "a" * 64))


def release_of(world, image=IMAGE, image_tag="latest", why="we know this one"):
    until = world.clock.now.replace(microsecond=0) + timedelta(days=30)
    return Release(image, ImageTag(image_tag) if image_tag else None, "ana", why, until)


def test_releases_of_a_repository_are_told_of_tags_and_of_whole_images(world):
    of_tag, of_image = release_of(world), release_of(world, image_tag=None)
    elsewhere = release_of(world, ImageRef(replace(API, name="team-a/api2"), IMAGE.digest))
    for release in (of_tag, of_image, elsewhere):
        world.releases.give(release)

    assert sorted(world.releases.of(API), key=lambda each: each.image_tag or "") == [of_image, of_tag]


def test_the_latest_release_counts_when_there_are_two_of_the_same(world):
    world.releases.give(release_of(world))
    world.releases.give(release_of(world, why="looked at it again"))

    assert list(world.releases.of(API)) == [release_of(world, why="looked at it again")]


def test_a_release_is_not_there_when_it_is_over_or_was_ended(world):
    latest, dev = release_of(world), release_of(world, image_tag="dev")
    world.releases.give(latest)
    world.releases.give(dev)

    world.releases.end(dev)
    world.releases.end(dev)
    assert list(world.releases.of(API)) == [latest]

    world.clock.pass_by(timedelta(days=30))
    assert list(world.releases.of(API)) == []
