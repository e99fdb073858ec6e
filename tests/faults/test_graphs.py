"""Random graphs of images are the same wherever they were copied to, and a copy of a copy, too."""

import json
from base64 import b64encode
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.domain.images import (
    DOCKER_CONFIG,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
)
from ecr_steward.domain.names import Digest
from ecr_steward.ports.stores import ImageStore
from ecr_steward.usecases.copy_images import CopyRun, How, Result, Wanted
from ecr_steward.usecases.moving import Untold
from tests.faults.copying import TAG, copy, require_equal
from tests.faults.places import World
from tests.given.graphs import as_json, fill

pytestmark = pytest.mark.slow

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONTENTS = [b"", b"{}", b"a", b"layer", bytes(range(256)) * 40]
KINDS = [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST]


@dataclass(repr=False)
class Graph:
    """Manifests, each after what it points to, and the bytes of all blobs under each digest that they have."""

    manifests: list[Manifest] = field(default_factory=list)
    blobs: dict[Digest, bytes] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Of a large one its beginning: hypothesis complains of more."""
        return "; ".join(f"{each.digest.algorithm} {each.content.decode()}" for each in self.manifests)[:20_000]

    @property
    def top(self) -> Manifest:
        """The last that refers to nothing else; referrers come along with their subject."""
        return next(each for each in reversed(self.manifests) if each.subject is None)

    def put(self, store: ImageStore) -> None:
        for digest, content in self.blobs.items():
            blob = Descriptor(LAYER, digest, len(content))
            store.write_blob(blob, store, _Opened(content))
        fill(store, self.manifests, [])
        store.put_manifest(self.top, TAG)


@dataclass(frozen=True)
class _Opened:
    content: bytes

    def __call__(self) -> "_Opened":
        return self

    def __enter__(self) -> list[bytes]:
        return [self.content]

    def __exit__(self, *_: object) -> None: ...


@st.composite
def graphs(draw: st.DrawFn, algorithms: tuple[str, ...] = ("sha256",)) -> Graph:
    """Images, artifacts without layers, nested lists that repeat themselves, and referrers that lead back."""
    graph = Graph()

    def blob(content: bytes, media_type: str) -> dict[str, Any]:
        digest = digest_of(content, draw(st.sampled_from(algorithms)))
        graph.blobs[digest] = content
        embedded = {"data": b64encode(content).decode()} if draw(st.booleans()) else {}
        return as_json(Descriptor(media_type, digest, len(content)), **embedded)

    def layers() -> list[dict[str, Any]]:
        return [blob(content, LAYER) for content in draw(st.lists(st.sampled_from(CONTENTS), max_size=4))]

    def children() -> list[dict[str, Any]]:
        return [as_json(child.descriptor) for child in draw(st.lists(st.sampled_from(graph.manifests), max_size=4))]

    def config(media_type: str, number: int) -> dict[str, Any]:
        return blob(b"{}" if draw(st.booleans()) else f'{{"number": {number}}}'.encode(), media_type)

    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.sampled_from(KINDS)) if number else OCI_MANIFEST
        members: dict[str, Any]
        if kind in (OCI_INDEX, DOCKER_LIST):
            members = {"manifests": children()}
        else:
            media_type = OCI_CONFIG if kind == OCI_MANIFEST else DOCKER_CONFIG
            members = {"config": config(media_type, number), "layers": layers()}
        if kind in (OCI_MANIFEST, OCI_INDEX):
            if draw(st.booleans()):
                members |= {"artifactType": "application/x.note", "annotations": {"number": str(number)}}
            if number and draw(st.booleans()):
                members |= {"subject": as_json(draw(st.sampled_from(graph.manifests)).descriptor)}
        content = json.dumps({"schemaVersion": 2, "mediaType": kind, **members}).encode()
        if all(content != each.content for each in graph.manifests):  # under two digests they would be two images
            graph.manifests.append(parse_manifest(content, kind, draw(st.sampled_from(algorithms))))
    return graph


@settings(max_examples=40)
@given(graph=graphs())
def test_a_graph_is_the_same_in_a_folder_and_in_another_registry(world: World, graph: Graph) -> None:
    way = [world.place(kind) for kind in ("plain", "folder", "plain")]
    graph.put(way[0].store())

    for source, destination in pairwise(way):
        copied = copy(source.store(), destination.store(), referrers=True)
        again = copy(source.store(), destination.store(), referrers=True, deep=True)

        require_equal(source.reader(), destination.reader(), referrers=True)
        assert (copied.digest, again.result) == (graph.top.digest, Result.PRESENT)


@settings(max_examples=10)
@given(graph=graphs(("sha256", "sha512")))
def test_a_graph_of_several_kinds_of_digest_is_the_same_elsewhere(world: World, graph: Graph) -> None:
    source, destination = world.place("plain"), world.place("plain")
    graph.put(source.store())

    with CopyRun(source.store(), destination.store(), How(referrers=True), Untold()) as run:
        run.copy(Wanted(graph.top.digest, TAG))
        again = run.copy(Wanted(graph.top.digest, TAG))

    require_equal(source.reader(), destination.reader(), referrers=True)
    assert again.result is Result.PRESENT
