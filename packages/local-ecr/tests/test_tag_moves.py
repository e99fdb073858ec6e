"""Random pushes, retags and deletions against a model in a dozen lines: tags, images and events agree."""

import json

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from local_ecr import EcrError, Registry
from local_ecr.images.manifest import read_manifest
from local_ecr.images.mutability import Mutability
from local_ecr.images.push import push_image
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId
from local_ecr.services import utc_now
from local_ecr.state import images, repositories
from local_ecr.state.store import Store

REGISTRY = Registry("111122223333", "us-east-1")
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MANIFESTS = [
    read_manifest(json.dumps({"schemaVersion": 2, "manifests": [], "annotations": {"n": str(n)}}).encode(), OCI_INDEX)
    for n in range(4)
]
some_manifest = st.sampled_from(MANIFESTS)
some_tag = st.sampled_from(["a", "b", "dev-1"])


class Registrar(RuleBasedStateMachine):
    """The model: a set of digests, and a map from tag to digest; tags that begin with `dev-` may move."""

    def __init__(self, store: Store, name: str, told: list[dict]) -> None:
        super().__init__()
        self.store, self.name, self.told = store, name, told
        self.digests: set[str] = set()
        self.tags: dict[str, str] = {}
        with store.changing() as change:
            self.repository = repositories.create(
                change.connection,
                REGISTRY,
                name,
                created_at=0,
                mutability=Mutability("IMMUTABLE_WITH_EXCLUSION", ("dev-*",)),
                scan_on_push=False,
                encryption={},
            )

    @rule(manifest=some_manifest, image_tag=some_tag | st.none())
    def push(self, manifest, image_tag):
        held = self.tags.get(image_tag) if image_tag else None
        is_refused = held not in {None, manifest.digest} and not image_tag.startswith("dev-")
        is_told = manifest.digest not in self.digests if image_tag is None else held != manifest.digest
        before = len(self.told)
        try:
            with self.store.changing() as change:
                push_image(change, self.repository, manifest, digest=None, image_tag=image_tag, now=utc_now())
        except EcrError as refusal:
            assert refusal.code == "ImageTagAlreadyExistsException"
            assert is_refused
            assert len(self.told) == before
            return
        assert not is_refused
        assert len(self.told) - before == is_told
        self.digests.add(manifest.digest)
        if image_tag:
            self.tags[image_tag] = manifest.digest

    @rule(manifest=some_manifest)
    def delete_by_digest(self, manifest):
        if self.remove(ImageId(digest=manifest.digest), manifest.digest in self.digests):
            self.digests.discard(manifest.digest)
            self.tags = {tag: digest for tag, digest in self.tags.items() if digest != manifest.digest}

    @rule(image_tag=some_tag)
    def delete_by_tag(self, image_tag):
        if self.remove(ImageId(image_tag=image_tag), image_tag in self.tags):
            digest = self.tags.pop(image_tag)
            if digest not in self.tags.values():
                self.digests.discard(digest)

    def remove(self, image_id: ImageId, is_there: bool) -> bool:
        try:
            with self.store.changing() as change:
                remove_image(change, self.repository, image_id, utc_now())
        except ImageFailureError as failure:
            assert failure.code == "ImageNotFound"
            assert not is_there
            return False
        assert is_there
        return True

    @invariant()
    def the_repository_is_as_the_model_says(self):
        with self.store.reading() as connection:
            listed = images.identifiers_page(connection, self.repository.id, "ANY", "ANY", (0, ""), 100)
        assert {(digest, tag) for _, digest, tag in listed if tag} == {(d, t) for t, d in self.tags.items()}
        assert {digest for _, digest, _ in listed} == self.digests


@pytest.fixture
def told():
    return []


@pytest.fixture
def store(tmp_path, told):
    store = Store(tmp_path, lambda account, region, event: told.append(event))
    yield store
    store.close()


def test_tags_and_images_are_what_a_simple_model_says_after_any_history(store, told):
    names = iter(f"team/app-{number}" for number in range(100_000))
    run_state_machine_as_test(
        lambda: Registrar(store, next(names), told),
        settings=settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
