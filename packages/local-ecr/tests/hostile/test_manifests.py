"""Manifests that are two things at once, deep, wide, large, or no JSON that everybody reads alike: on both faces."""

import json
from itertools import pairwise

import pytest

from local_ecr import Quirks
from local_ecr.images.manifest import MAX_DESCRIPTORS, MAX_MANIFEST_BYTES, MAX_MEDIA_TYPE
from local_ecr.strict_json import MAX_DEPTH
from tests.conftest import OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from tests.hostile.victim import ELSEWHERE, NOWHERE, REPOSITORY, attacked, descriptor, encoded, index_of

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"


def require_refused(victim, body, media_type=OCI_MANIFEST):
    """Neither face takes it, under a tag, a digest, or none."""
    for reference in ("hostile", ""):
        answer = victim.put(body, reference, media_type)
        assert (answer.status, answer.code) in {(405, "UNSUPPORTED"), (413, "SIZE_INVALID")}
        assert len(answer.body) < 1024
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return
    asked = {"repositoryName": REPOSITORY, "imageManifest": text, "imageManifestMediaType": media_type}
    answer = victim.api.call("PutImage", asked)
    assert answer.code == "InvalidParameterException"
    assert len(answer.body) < 1024


CONFUSED = {
    "layers in an index, CVE-2021-41190 / GHSA-mc8v-mgrf-8f4m": (OCI_INDEX, {"layers": []}),
    "a config in an index, GHSA-77vh-xpmg-72qh": (OCI_INDEX, {"config": descriptor(NOWHERE)}),
    "manifests in an image, GHSA-qq97-vm5h-rrhg": (OCI_MANIFEST, {"manifests": []}),
    "manifests in an image of Docker, GHSA-5j5w-g665-5m35": (DOCKER_MANIFEST, {"manifests": [descriptor(NOWHERE)]}),
    "layers in a list of Docker, GHSA-xmmx-7jpf-fx42": (DOCKER_LIST, {"layers": [descriptor(NOWHERE)]}),
    "manifests that are null, CVE-2021-41190": (OCI_MANIFEST, {"manifests": None}),
    "layers that are null, CVE-2021-41190": (OCI_INDEX, {"layers": None}),
}


@pytest.mark.parametrize("sent_as", ["its own type", "the other's"])
@pytest.mark.parametrize("confusion", CONFUSED)
def test_a_document_that_is_an_image_and_an_index_is_neither_CVE_2021_41190(victim, confusion, sent_as):
    """CVE-2021-41190: what a client takes it for must not hang on which member it looks at first."""
    own, members = CONFUSED[confusion]
    whole = index_of() if own in {OCI_INDEX, DOCKER_LIST} else victim.image()
    other = OCI_MANIFEST if own in {OCI_INDEX, DOCKER_LIST} else OCI_INDEX
    for media_type in (own, None):  # the document's own, or none: then Content-Type alone says
        document = {**whole, **members, "mediaType": media_type}
        require_refused(victim, encoded(document), own if sent_as == "its own type" else other)


@pytest.mark.parametrize(("own", "sent_as"), [(OCI_MANIFEST, OCI_INDEX), (OCI_MANIFEST, DOCKER_MANIFEST)])
def test_a_document_that_says_another_type_than_its_header_is_refused_CVE_2021_41190(victim, own, sent_as):
    """CVE-2021-41190: the specification's remedy, body `mediaType` = header."""
    require_refused(victim, encoded(victim.image() | {"mediaType": own}), sent_as)


def test_a_layer_of_an_index_is_no_image_and_a_manifest_is_no_layer_CVE_2021_41190(victim):
    """CVE-2021-41190: a blob and a manifest of one digest are two things, also when one is pushed as the other."""
    image = victim.image("blob and manifest")
    digest = victim.push_blob(encoded(image))
    assert victim.put(index_of(descriptor(digest))).code == "MANIFEST_BLOB_UNKNOWN"
    assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/{digest}").status == 404
    pushed = victim.push(victim.image("only a manifest"))
    assert victim.put({**image, "layers": [descriptor(pushed, OCI_LAYER)]}).code == "MANIFEST_BLOB_UNKNOWN"
    assert victim.v2.send("HEAD", f"/v2/{REPOSITORY}/blobs/{pushed}").status == 404


NO_JSON = {
    "nothing": b"",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": "{}".encode("utf-16"),
    "a byte that is no UTF-8": b'{"a": "\xff"}',
    "overlong UTF-8": b'{"a": "\xc0\xae"}',
    "a surrogate as UTF-8": b'{"a": "\xed\xa0\x80"}',
    "half a surrogate pair": rb'{"a": "\ud800"}',
    "a key that is half a pair": rb'{"\udc00": 1}',
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": Infinity}',
    "a number that is infinite": b'{"a": -1e999}',
    "an integer of 5,000 digits": b'{"a": ' + b"9" * 5000 + b"}",
    "a key twice": b'{"layers": [], "layers": []}',
    "a key twice, far down": b'{"a": [{"b": {"digest": 1, "digest": 2}}]}',
    "a key twice, once escaped": rb'{"layers": [], "l\u0061yers": []}',
    "two documents": b"{}{}",
    "a comment": b"{/**/}",
    "a trailing comma": b'{"a": 1,}',
    "a control character": b'{"a": "\n"}',
    "100,000 levels": b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "levels without an end": b'{"a":[' * 50_000,
    "one level too many": b'{"a": ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
    "a list": b"[]",
    "null": b"null",
}


@pytest.mark.parametrize("flaw", NO_JSON)
def test_a_manifest_is_refused_when_it_is_no_json_that_reads_in_one_way_alone(victim, flaw):
    require_refused(victim, NO_JSON[flaw])


def test_a_manifest_may_be_as_deep_as_is_allowed(victim):
    deepest = json.loads("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1))
    assert victim.put({**victim.image("deep"), "x": deepest}).status == 201
    require_refused(victim, encoded({**victim.image("deep"), "x": [deepest]}))


def test_a_media_type_may_be_as_long_as_is_allowed_and_no_longer(victim):
    longest = "x/" + "y" * (MAX_MEDIA_TYPE - 2)
    image = victim.image("typed")
    foreign = descriptor(NOWHERE, FOREIGN)
    assert victim.put({**image, "artifactType": longest, "layers": []}).status == 201
    require_refused(victim, encoded({**image, "artifactType": longest + "y"}))
    config = {**image["config"], "mediaType": longest}
    assert victim.put({**image, "config": config}).status == 201
    require_refused(victim, encoded({**image, "config": {**config, "mediaType": longest + "y"}}))
    require_refused(victim, encoded({**image, "layers": [{**foreign, "mediaType": longest + "y"}]}))


SIZES = [-1, 2**63, 2**64, 10**300, 1.0, 1e3, "1", None, True, [], {}]


@pytest.mark.parametrize("member", ["config", "layers", "manifests", "subject"])
def test_a_manifest_is_refused_when_a_size_in_it_is_none(victim, member):
    whole = index_of() if member == "manifests" else victim.image()
    for size in SIZES:
        bad = {**descriptor(NOWHERE), "size": size}
        document = {**whole, member: [bad] if member in {"layers", "manifests"} else bad}
        require_refused(victim, encoded(document), document["mediaType"])


def test_the_largest_size_is_one(victim):
    foreign = {**descriptor(NOWHERE, FOREIGN), "size": 2**63 - 1}
    digest = victim.push({**victim.image("large"), "layers": [foreign]})
    asked = {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": digest}]}
    assert victim.api.call("DescribeImages", asked).json()["imageDetails"][0]["imageSizeInBytes"] == 0


def padded(document, size):
    """The document with an annotation that makes it exactly so many bytes."""
    empty = encoded({**document, "annotations": {"x": ""}})
    return encoded({**document, "annotations": {"x": "y" * (size - len(empty))}})


def test_a_manifest_may_have_four_mebibytes_and_not_a_byte_more_CVE_2017_11468_GHSA_h62f_wm92_2cmw(victim):
    """CVE-2017-11468 / GHSA-h62f-wm92-2cmw: distribution read a manifest of any size into memory."""
    image = victim.image("4 MiB")
    assert victim.put(padded(image, MAX_MANIFEST_BYTES)).status == 201
    require_refused(victim, padded(image, MAX_MANIFEST_BYTES + 1))
    chunked = [("Transfer-Encoding", "chunked"), ("Content-Type", OCI_MANIFEST)]
    endless = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    target = f"/v2/{REPOSITORY}/manifests/endless"
    answer = victim.v2.send("PUT", target, headers=chunked, chunks=endless * 5)
    assert (answer.status, answer.code) == (413, "SIZE_INVALID")


WIDE = {
    "100,000 layers": {"layers": [{}] * 100_000},
    "one layer too many": {"layers": [descriptor(NOWHERE, FOREIGN)] * (MAX_DESCRIPTORS + 1)},
    "100,000 blobs of nothing": {"layers": [0] * 100_000},
    "100,000 annotations that are no texts": {"annotations": {str(number): number for number in range(100_000)}},
}


def test_a_manifest_is_refused_when_it_has_one_layer_too_many(victim):
    assert victim.put({**victim.image("wide"), **WIDE["one layer too many"]}).code == "UNSUPPORTED"


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDE)
def test_a_manifest_is_refused_when_it_is_too_wide(victim, width):
    require_refused(victim, encoded({**victim.image("wide"), **WIDE[width]}))


@pytest.mark.slow
def test_an_index_is_refused_when_it_is_too_wide(victim):
    require_refused(victim, encoded(index_of(*[{}] * 100_000)), OCI_INDEX)
    require_refused(victim, encoded(index_of(*[descriptor(NOWHERE)] * (MAX_DESCRIPTORS + 1))), OCI_INDEX)


@pytest.mark.slow
def test_a_manifest_may_be_as_wide_as_is_allowed(victim):
    """And what it names and is not there is told whole, in less than a client has to read: 1 MiB."""
    image = victim.image("as wide")
    assert victim.put({**image, "layers": [descriptor(NOWHERE, FOREIGN)] * MAX_DESCRIPTORS}).status == 201
    child = victim.push(image)
    assert victim.put(index_of(*[descriptor(child)] * MAX_DESCRIPTORS)).status == 201
    unknown = [descriptor(f"sha256:{number:064x}") for number in range(MAX_DESCRIPTORS)]
    refused = victim.put(index_of(*unknown))
    assert refused.code == "MANIFEST_BLOB_UNKNOWN"
    assert len(refused.body) < 1 << 20


@pytest.mark.slow
def test_a_manifest_of_a_million_small_values_is_read_in_time(victim):
    for filling in (b"[]," * 1_300_000, b"1," * 2_000_000, b'"\xc3\xa9",' * 800_000):
        body = encoded(victim.image("many"))[:-1] + b',"x":[' + filling + b"0]}"
        assert victim.put(body).status == 201


def test_an_index_that_lists_itself_cannot_be_and_a_claim_of_it_is_refused(victim):
    """A digest of what holds the digest is nobody's to write; one that is named anyway is not there."""
    body = encoded(index_of(descriptor(NOWHERE, OCI_INDEX)))
    own = victim.put(body, NOWHERE, OCI_INDEX)
    assert own.code == "MANIFEST_INVALID"
    assert victim.put(body, "itself", OCI_INDEX).code == "MANIFEST_BLOB_UNKNOWN"


def nested(victim, levels):
    """Push an image below so many indexes, the outermost under a tag; their digests, the image first."""
    digests = [victim.push(victim.image(f"below {levels}"))]
    media_type = OCI_MANIFEST
    for level in range(levels):
        digests.append(victim.push(index_of(descriptor(digests[-1], media_type)), f"level-{level}"))
        media_type = OCI_INDEX
    return digests


def require_deletable(victim, digests):
    """What an index lists stays until the index is gone, level by level."""
    for digest, _ in pairwise(digests):
        assert victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}").code == "DENIED"
    for digest in reversed(digests):
        assert victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}").status == 202


def test_indexes_of_indexes_are_pushed_listed_and_deleted(victim):
    require_deletable(victim, nested(victim, 8))


@pytest.mark.slow
def test_indexes_a_thousand_deep_are_pushed_copied_and_deleted(victim):
    digests = nested(victim, 1000)
    rule = {"destinations": [{"region": ELSEWHERE, "registryId": "111122223333"}]}
    asked = {"replicationConfiguration": {"rules": [rule]}}
    assert victim.api.call("PutReplicationConfiguration", asked).status == 200
    victim.push(index_of(descriptor(digests[-1], OCI_INDEX)), "outermost")
    victim.stand.ecr.wait_until_idle(60)
    assert victim.wire(ELSEWHERE).send("GET", f"/v2/{REPOSITORY}/manifests/{digests[0]}").status == 200
    assert victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/outermost").status == 202
    assert victim.api.call("PutReplicationConfiguration", {"replicationConfiguration": {"rules": []}}).status == 200
    require_deletable(victim, digests)


@pytest.mark.slow
def test_a_plain_registry_takes_no_more_than_one_with_quirks(tmp_path):
    with attacked(tmp_path, quirks=Quirks.none()) as victim:
        for flaw in NO_JSON.values():
            answer = victim.put(flaw, "hostile")
            assert answer.code in {"MANIFEST_INVALID", "SIZE_INVALID"}
        require_deletable(victim, nested(victim, 3)[-1:])
