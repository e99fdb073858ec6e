"""Nothing takes more than it was sent, or more than one table allows: counts, pages, bodies, logs."""

import json
import socket
import tracemalloc
import zlib
from contextlib import contextmanager
from itertools import islice

import pytest

from local_ecr import Quirks
from local_ecr.app import MAX_API_BODY
from local_ecr.data.call import MAX_PAGE, PLAIN_PAGE
from local_ecr.images.manifest import MAX_MANIFEST_BYTES
from local_ecr.images.push import MAX_IMAGE_TAGS
from local_ecr.lifecycle.grammar import MAX_RULES
from local_ecr.names import MAX_IMAGE_TAG, MAX_OCI_IMAGE_TAG, MAX_REPOSITORY_NAME
from local_ecr.uploads import MAX_PARTS
from tests.conftest import OCI_LAYER, OCI_MANIFEST
from tests.hostile.test_referrers import EXPIRES
from tests.hostile.victim import NOWHERE, REPOSITORY, attacked, descriptor, encoded
from tests.hostile.wire import exchange_on, request_bytes

MIB = 1 << 20
COUNTS = ["-1", "0x10", "1e3", "%D9%A3", "1.0", "", "+1", "%2B1", "1%00", "1_0"]


@contextmanager
def at_most(size):
    """What Python objects hold at the most, in here, beyond what they held before; the server is in this process."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        yield
        assert tracemalloc.get_traced_memory()[1] - before < size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("path", ["/v2/_catalog", f"/v2/{REPOSITORY}/tags/list"])
def test_a_count_that_is_none_is_refused_CVE_2023_2253_GHSA_hqxw_f8mx_cpmw(victim, path):
    """CVE-2023-2253 / GHSA-hqxw-f8mx-cpmw: distribution allocated a list of `n` names before it looked for one."""
    for count in COUNTS:
        assert victim.v2.send("GET", f"{path}?n={count}").code == "UNSUPPORTED"
    with at_most(MIB):
        for count in (MAX_PAGE + 1, 2**31, 2**63, 10**400):
            assert victim.v2.send("GET", f"{path}?n={count}").code == "UNSUPPORTED"
    assert victim.v2.send("GET", f"{path}?n={MAX_PAGE}").status == 200
    assert victim.v2.send("GET", f"{path}?n=0").status == 200


def test_a_count_of_a_plain_registry_allocates_nothing_CVE_2023_2253(tmp_path):
    """CVE-2023-2253: it takes any number, and makes no more of it than there are names."""
    with attacked(tmp_path, quirks=Quirks.none()) as victim, at_most(MIB):
        for count in (PLAIN_PAGE, PLAIN_PAGE + 1, 2**63, 10**400):
            answer = victim.v2.send("GET", f"/v2/_catalog?n={count}")
            assert answer.json()["repositories"] == [REPOSITORY]


@pytest.mark.parametrize("operation", ["DescribeRepositories", "ListImages", "DescribeImages", "ListImageReferrers"])
def test_a_page_of_the_api_is_bounded_CVE_2023_2253(victim, operation):
    """CVE-2023-2253, on the other face."""
    names = {} if operation == "DescribeRepositories" else {"repositoryName": REPOSITORY}
    subject = {"subjectId": {"imageDigest": NOWHERE}} if operation == "ListImageReferrers" else {}
    most = 50 if operation == "ListImageReferrers" else 1000
    for count, status in ((0, 400), (-1, 400), (1, 200), (most, 200), (most + 1, 400), (2**63, 400), (10**4000, 400)):
        answer = victim.api.call(operation, {**names, **subject, "maxResults": count})
        assert answer.status == status


def pages(victim, target):
    """Every page from here on, by the links that the server gives."""
    while target:
        answer = victim.v2.send("GET", target)
        yield answer.json()
        target = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")


def test_pages_move_on_and_end_oras_go_1215(victim):
    """oras-go#1215: a client that follows pages cannot know that they have no end, unless each moves on."""
    name = "fuzz/pages"
    victim.api.call("CreateRepository", {"repositoryName": name})
    image = victim.image("pages", name)
    for number in range(7):
        victim.push(image, f"t{number}", name)
    for size in (1, 2, 3, 7, 8):
        found = list(islice((page["tags"] for page in pages(victim, f"/v2/{name}/tags/list?n={size}")), 20))
        assert [tag for page in found for tag in page] == [f"t{number}" for number in range(7)]
    assert [page["tags"] for page in pages(victim, f"/v2/{name}/tags/list?n=0")] == [[]]
    for last in ("t6", "~", "%ff", "%00", "z" * 8000):
        assert len(list(islice(pages(victim, f"/v2/{name}/tags/list?n=1&last={last}"), 9))) <= 8


def test_nothing_is_unpacked_CVE_2026_44432_CVE_2026_21441_CVE_2024_29902_GHSA_95pr_fxf5_86gv(victim):
    """CVE-2026-44432, CVE-2026-21441 (urllib3), CVE-2024-29902 and CVE-2024-29903 / GHSA-95pr-fxf5-86gv (cosign): small
    things that become large. What comes as a body is that body, whatever its Content-Encoding or media type says."""
    bomb = zlib.compress(b"\0" * (64 * MIB), wbits=31)
    with at_most(4 * MIB):
        headers = [("Content-Type", OCI_MANIFEST), ("Content-Encoding", "gzip")]
        refused = victim.v2.send("PUT", f"/v2/{REPOSITORY}/manifests/bomb", body=bomb, headers=headers)
        assert refused.code == "UNSUPPORTED"
        assert (
            victim.api.call("DescribeRepositories", bomb, ("Content-Encoding", "gzip")).code == "SerializationException"
        )
        digest = victim.push_blob(bomb)
        layer = descriptor(digest, f"{OCI_LAYER}+gzip", len(bomb))
        victim.push({**victim.image("bomb"), "layers": [layer]}, "bomb")
    answer = victim.v2.send(
        "GET", f"/v2/{REPOSITORY}/manifests/bomb", headers=[("Accept-Encoding", "gzip, deflate, br")]
    )
    assert "Content-Encoding" not in answer.headers


def test_a_size_that_is_claimed_allocates_nothing_CVE_2023_46737_GHSA_vfp6_jrw2_99g9_GHSA_259w_8hf6_59c2(victim):
    """CVE-2023-46737 / GHSA-vfp6-jrw2-99g9 (cosign), GHSA-259w-8hf6-59c2 (containerd): what a manifest claims, or how
    much it lists, was taken for what to read. Sizes here are what arrived."""
    image = victim.image("claims")
    claimed = {**image["config"], "size": 2**63 - 1}
    with at_most(4 * MIB):
        digest = victim.push({**image, "config": claimed, "layers": [{**claimed, "mediaType": OCI_LAYER}] * 100})
        asked = {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": digest}]}
        [detail] = victim.api.call("DescribeImages", asked).json()["imageDetails"]
    assert detail["imageSizeInBytes"] == 100 * len(encoded({"text": "claims"}))


def test_an_upload_holds_no_more_than_a_few_pieces_in_memory_CVE_2017_11468(victim):
    """CVE-2017-11468: nor does a body that is larger than it may be, on its way to being refused."""
    with at_most(24 * MIB):
        large = b"x" * (8 * MIB)
        victim.push_blob(large)
    with at_most(5 * MAX_MANIFEST_BYTES):
        answer = victim.put(b" " * (MAX_MANIFEST_BYTES + 1), "large")
        assert answer.code == "SIZE_INVALID"


@pytest.mark.slow
def test_a_call_may_be_as_large_as_the_largest_part_and_not_a_byte_more(victim):
    for size, code in ((MAX_API_BODY, "SerializationException"), (MAX_API_BODY + 1, "RequestEntityTooLargeException")):
        assert victim.api.call("UploadLayerPart", b" " * size).code == code


@pytest.mark.slow
def test_an_image_may_have_as_many_tags_as_is_allowed_and_no_more(victim):
    image = victim.image("tags")
    for number in range(MAX_IMAGE_TAGS):
        victim.push(image, f"n{number}")
    refused = victim.put(image, "one-more")
    assert (refused.status, refused.code) == (403, "DENIED")
    victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/n0")
    victim.push(image, "one-more")


@pytest.mark.slow
def test_an_upload_may_have_as_many_parts_as_is_allowed_and_no_more(victim):
    location = victim.v2.send("POST", f"/v2/{REPOSITORY}/blobs/uploads/").headers["Location"]
    head = [("Host", "localhost"), ("Authorization", f"Basic {victim.v2.token}"), ("Content-Length", "1")]
    with socket.create_connection(("127.0.0.1", victim.v2.port), timeout=10) as connection:
        for _ in range(MAX_PARTS):
            assert exchange_on(connection, request_bytes("PATCH", location, head, b"x"), "PATCH").status == 201
    refused = victim.v2.send("PATCH", location, body=b"x")
    assert (refused.status, refused.code) == (403, "DENIED")
    assert victim.v2.send("GET", location).headers["Range"] == f"0-{MAX_PARTS - 1}"


def test_a_name_and_a_tag_may_be_as_long_as_is_allowed_and_no_longer(victim):
    longest = "a" * MAX_REPOSITORY_NAME
    assert victim.api.call("CreateRepository", {"repositoryName": longest + "a"}).code == "InvalidParameterException"
    assert victim.api.call("CreateRepository", {"repositoryName": longest}).status == 200
    assert victim.v2.send("GET", f"/v2/{longest}/tags/list").status == 200
    assert victim.v2.send("GET", f"/v2/{longest}a/tags/list").code == "NAME_INVALID"
    image = victim.image("tagged")
    assert victim.put(image, "t" * MAX_IMAGE_TAG).status == 201
    assert victim.put(image, "t" * (MAX_IMAGE_TAG + 1)).status == 400


def test_a_tag_of_a_plain_registry_may_be_as_long_as_the_specification_has_it(tmp_path):
    with attacked(tmp_path, quirks=Quirks.none()) as victim:
        image = victim.image("tagged")
        assert victim.put(image, "t" * MAX_OCI_IMAGE_TAG).status == 201
        assert victim.put(image, "t" * (MAX_OCI_IMAGE_TAG + 1)).code == "MANIFEST_INVALID"


def test_a_lifecycle_policy_may_have_as_many_rules_as_is_allowed_and_no_more(victim):
    def put(count):
        tagged = {**EXPIRES["selection"], "tagStatus": "tagged"}
        rules = [
            {**EXPIRES, "rulePriority": number, "selection": {**tagged, "tagPrefixList": [f"x{number}"]}}
            for number in range(1, count + 1)
        ]
        asked = {"repositoryName": REPOSITORY, "lifecyclePolicyText": json.dumps({"rules": rules})}
        return victim.api.call("PutLifecyclePolicy", asked)

    assert put(MAX_RULES).status == 200
    assert put(MAX_RULES + 1).code == "InvalidParameterException"
    victim.api.call("DeleteLifecyclePolicy", {"repositoryName": REPOSITORY})


def test_no_log_keeps_more_of_a_request_than_it_needs(victim):
    """The logs hold a hundred thousand requests, and each header may be 60 KiB."""
    long = "x" * 60_000
    victim.v2.send("GET", "/v2/", headers=[("User-Agent", long)])
    victim.api.call("y" * 60_000, {}, ("User-Agent", long))
    victim.api.call("CreateRepository", {"repositoryName": "fuzz/long"}, ("User-Agent", long), ("Referer", long))
    for request in victim.stand.ecr.requests.entries():
        assert len(request.user_agent) <= 1024
        assert len(request.operation) <= 128
    for _, _, event in victim.stand.events:
        assert len(event["detail"].get("userAgent", "")) <= 1024
