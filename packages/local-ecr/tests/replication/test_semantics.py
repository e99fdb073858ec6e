"""Whatever is pushed, tagged and deleted under whatever rules: the destination holds what the user guide says."""

import json
from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_ecr import LocalEcr, Registry
from local_ecr.errors import EcrError
from local_ecr.images.manifest import read_manifest
from local_ecr.images.mutability import IMMUTABLE, MUTABLE, Mutability
from local_ecr.images.push import push_image
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.state import images, registries, repositories

HERE, THERE = Registry("111122223333", "us-east-1"), Registry("111122223333", "eu-west-1")
INDEX = "application/vnd.oci.image.index.v1+json"
TAGS = ("latest", "1.0", "2.0")

LISTED: dict[str, tuple[str, ...]] = {"one": (), "two": (), "pair": ("one", "two"), "outer": ("pair", "one")}
"""Images, and the images that each of them lists."""


# ---------------------------------------------------------------- the model: what a reader of the user guide expects

Holdings = dict[str, set[str]]
"""Tags by image."""


@dataclass
class Model:
    is_immutable: bool
    here: Holdings = field(default_factory=dict)
    there: Holdings = field(default_factory=dict)
    rule: str = "none"
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def push(self, image: str, image_tag: str | None) -> None:
        is_known = image in self.here and (image_tag is None or image_tag in self.here[image])
        if is_known or not all(part in self.here for part in LISTED[image]):
            return
        put(self.here, image, image_tag)
        if self.rule != "none":
            self.asked.append(("copy", image, image_tag))

    def remove(self, image: str) -> None:
        if drop(self.here, image) and self.rule == "with deletions":
            self.asked.append(("remove", image, None))

    def untag(self, image_tag: str) -> None:
        for image in [one for one, tags in self.here.items() if image_tag in tags]:
            if len(self.here[image]) == 1:
                self.remove(image)
                continue
            self.here[image].remove(image_tag)
            if self.rule == "with deletions":
                self.asked.append(("untag", image, image_tag))

    def settle(self) -> None:
        for action, image, image_tag in self.asked:
            if action == "copy" and image in self.here:
                is_taken = self.is_immutable and any(image_tag in tags for tags in self.there.values())
                for part in (*parts(image), image):
                    put(self.there, part, None)
                put(self.there, image, None if is_taken else image_tag)
            elif action == "remove":
                drop(self.there, image)
            elif action == "untag":
                self.there.get(image, set()).discard(image_tag)
        self.asked.clear()


def put(holdings: Holdings, image: str, image_tag: str | None) -> None:
    holdings.setdefault(image, set())
    if image_tag is not None:
        for tags in holdings.values():
            tags.discard(image_tag)
        holdings[image].add(image_tag)


def drop(holdings: Holdings, image: str) -> bool:
    """Take an image away, unless another lists it."""
    if image not in holdings or any(image in LISTED[other] for other in holdings):
        return False
    del holdings[image]
    return True


def parts(image: str) -> list[str]:
    return [one for listed in LISTED[image] for one in (*parts(listed), listed)]


# ---------------------------------------------------------------- the registry


def body_of(image: str) -> bytes:
    listed = [{"mediaType": INDEX, "digest": manifest_of(part).digest, "size": 1} for part in LISTED[image]]
    document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": listed, "annotations": {"name": image}}
    return json.dumps(document).encode()


def manifest_of(image: str):
    return read_manifest(body_of(image), INDEX)


NAMES = {manifest_of(image).digest: image for image in LISTED}


@dataclass
class Real:
    ecr: LocalEcr
    name: str

    def push(self, image: str, image_tag: str | None) -> None:
        with self.ecr.store.changing() as change:
            repository = repositories.get(change.connection, HERE, self.name)
            now = self.ecr.clock()
            try:
                push_image(change, repository, manifest_of(image), digest=None, image_tag=image_tag, now=now)
            except EcrError as refusal:
                assert refusal.code == "ReferencedImagesNotFoundException"

    def remove(self, image: str) -> None:
        self._remove(ImageId(manifest_of(image).digest))

    def untag(self, image_tag: str) -> None:
        self._remove(ImageId(image_tag=image_tag))

    def _remove(self, image_id: ImageId) -> None:
        with self.ecr.store.changing() as change:
            repository = repositories.get(change.connection, HERE, self.name)
            try:
                remove_image(change, repository, image_id, self.ecr.clock())
            except ImageFailureError as failure:
                assert failure.code in {"ImageNotFound", "ImageReferencedByManifestList"}

    def configure(self, rule: str) -> None:
        destination = {"region": THERE.region, "registryId": THERE.account}
        made = {"destinations": [destination], "deleteReplication": {"enabled": rule == "with deletions"}}
        configuration = {"rules": [] if rule == "none" else [made]}
        with self.ecr.store.changing() as change:
            registries.put(change.connection, HERE, registries.REPLICATION, configuration)

    def held(self, registry: Registry) -> Holdings:
        with self.ecr.store.reading() as connection:
            repository = repositories.get(connection, registry, self.name)
            found = images.page(connection, repository.id, "ANY", "ANY", 0, 100)
            return {NAMES[image.digest]: set(images.tags_of(connection, image)) for image in found}


@pytest.fixture(scope="module")
def new_repository(tmp_path_factory):
    """Makes a repository of a new name in both registries, which are the same for all examples."""
    ecr = LocalEcr(tmp_path_factory.mktemp("semantics") / "ecr")
    numbers = count()

    def new(*, is_immutable: bool) -> Real:
        name = f"team/app-{next(numbers)}"
        with ecr.store.changing() as change:
            for registry, mode in ((HERE, MUTABLE), (THERE, IMMUTABLE if is_immutable else MUTABLE)):
                repositories.create(
                    change.connection,
                    registry,
                    name,
                    created_at=0,
                    mutability=Mutability(mode),
                    scan_on_push=False,
                    encryption={"encryptionType": "AES256"},
                )
        return Real(ecr, name)

    yield new
    ecr.close()


acts = st.one_of(
    st.tuples(st.just("push"), st.sampled_from(sorted(LISTED)), st.sampled_from([None, *TAGS])),
    st.tuples(st.just("push"), st.sampled_from(sorted(LISTED)), st.sampled_from([None, *TAGS])),
    st.tuples(st.just("remove"), st.sampled_from(sorted(LISTED))),
    st.tuples(st.just("untag"), st.sampled_from(TAGS)),
)
rounds = st.tuples(st.sampled_from(["none", "copies", "with deletions"]), st.lists(acts, max_size=6))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(is_immutable=st.booleans(), played=st.lists(rounds, min_size=1, max_size=6))
def test_the_destination_holds_what_the_user_guide_says(new_repository, is_immutable, played):
    """In each round its acts come faster than the copies."""
    model, real = Model(is_immutable), new_repository(is_immutable=is_immutable)
    for rule, acted in played:
        model.rule = rule
        real.configure(rule)
        with real.ecr.background.paused():
            for act, *arguments in acted:
                getattr(model, act)(*arguments)
                getattr(real, act)(*arguments)
        model.settle()
        real.ecr.wait_until_idle()
        assert real.held(HERE) == model.here
        assert real.held(THERE) == model.there


@settings(max_examples=100, deadline=None)
@given(acted=st.lists(acts, min_size=3, max_size=25))
def test_the_destination_is_as_the_source_when_each_act_since_the_first_push_is_copied_before_the_next(
    new_repository, acted
):
    """Faster ones may lose a tag's move; see test_deletions.py."""
    real = new_repository(is_immutable=False)
    real.configure("with deletions")
    for act, *arguments in acted:
        getattr(real, act)(*arguments)
        real.ecr.wait_until_idle()
        assert real.held(THERE) == real.held(HERE)
