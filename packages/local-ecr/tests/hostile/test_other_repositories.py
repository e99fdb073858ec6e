"""What one repository has is no other's: neither a blob that is stored once for all, nor one that was deleted."""

from datetime import timedelta
from itertools import product
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from local_ecr import Policy, Principal, Quirks
from tests.conftest import OCI_LAYER
from tests.hostile.victim import NOWHERE, attacked, descriptor, digest_of, encoded
from tests.hostile.wire import request_bytes

ACCOUNT, ARN = "111122223333", "arn:aws:ecr:us-east-1:111122223333:repository"
OURS, THEIRS = "fuzz/ours", "fuzz/theirs"


@pytest.fixture
def secret(victim):
    """A blob that an image of THEIRS is made of, and nothing of OURS is."""
    for name in (OURS, THEIRS):
        victim.api.call("CreateRepository", {"repositoryName": name})
    data = b"their secret layer"
    image = victim.image("theirs", THEIRS)
    image["layers"] = [descriptor(victim.push_blob(data, THEIRS), OCI_LAYER, len(data))]
    victim.push(image, "1.0", THEIRS)
    return data


def require_unreadable(victim, digest, name):
    """No road of either face leads from a repository to a blob that is not its own."""
    for method, rest in product(("GET", "HEAD"), (f"blobs/{digest}", f"manifests/{digest}")):
        assert victim.v2.send(method, f"/v2/{name}/{rest}").status == 404
    asked = {"repositoryName": name, "layerDigest": digest}
    assert victim.api.call("GetDownloadUrlForLayer", asked).code == "LayersNotFoundException"
    found = victim.api.call("BatchCheckLayerAvailability", {"repositoryName": name, "layerDigests": [digest]}).json()
    assert [one["layerAvailability"] for one in found["layers"]] == ["UNAVAILABLE"]
    assert victim.put({**victim.image("thief", name), "layers": [descriptor(digest)]}, name=name).status == 400


def test_a_blob_that_is_stored_for_another_is_not_there_CVE_2024_39897_GHSA_55r9_5mx9_qq7r(victim, secret):
    """CVE-2024-39897 / GHSA-55r9-5mx9-qq7r: zot handed a blob to whoever knew its digest, since it had it once."""
    digest = digest_of(secret)
    require_unreadable(victim, digest, OURS)
    for query in (f"mount={digest}&from={THEIRS}", f"mount={digest}", f"mount={digest}&from={THEIRS}/../{THEIRS}"):
        assert victim.v2.send("POST", f"/v2/{OURS}/blobs/uploads/?{query}").status == 202
    require_unreadable(victim, digest, OURS)


SOURCES = ["", "&from=", f"&from={THEIRS}", "&from=../fuzz/theirs", "&from=%2a", "&from=no/such"]


def test_a_mount_gives_nothing_that_its_caller_may_not_read_CVE_2024_39897(tmp_path):
    """CVE-2024-39897: of a plain registry, too, which looks for a blob everywhere."""
    ours = [{"Effect": "Allow", "Action": "*", "Resource": [f"{ARN}/{OURS}", "*"]}]
    theirs = {"Effect": "Deny", "Action": "ecr:GetDownloadUrlForLayer", "Resource": f"{ARN}/{THEIRS}"}
    policy = Policy("ours", {"Version": "2012-10-17", "Statement": [*ours, theirs]})
    user = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ada", "AKIDADA")
    options = {"identities": lambda _: [policy], "principal_of": lambda _: user, "quirks": Quirks.none()}
    with attacked(tmp_path, **options) as victim:
        digest = victim.push_blob(b"theirs", THEIRS)
        victim.push_blob(b"ours", OURS)
        for source in SOURCES:
            assert victim.v2.send("POST", f"/v2/{OURS}/blobs/uploads/?mount={digest}{source}").status == 202
            assert victim.v2.send("HEAD", f"/v2/{OURS}/blobs/{digest}").status == 404


@pytest.mark.parametrize("way", ["image", "repository", "blob"])
def test_a_deleted_blob_cannot_be_read_again_CVE_2026_35172_GHSA_f2g3_hh2r_cwgc(tmp_path, way):
    """CVE-2026-35172 / GHSA-f2g3-hh2r-cwgc: distribution's cache of digests outlived the blob, and brought it back."""
    with attacked(tmp_path, quirks=Quirks.none()) as victim:
        data = b"deleted"
        digest = victim.push_blob(data, THEIRS)
        if way == "image":
            image = victim.push({**victim.image("x", THEIRS), "layers": [descriptor(digest)]}, name=THEIRS)
            victim.stand.clock.ahead += timedelta(days=2)
            token = victim.token()
            assert victim.v2.send("DELETE", f"/v2/{THEIRS}/manifests/{image}", token=token).status == 202
        elif way == "repository":
            assert victim.api.call("DeleteRepository", {"repositoryName": THEIRS, "force": True}).status == 200
        else:
            assert victim.v2.send("DELETE", f"/v2/{THEIRS}/blobs/{digest}").status == 202
        token = victim.token()
        for name in (THEIRS, OURS):
            victim.api.call("CreateRepository", {"repositoryName": name})
            assert victim.v2.send("GET", f"/v2/{name}/blobs/{digest}", token=token).status == 404
            asked = f"/v2/{name}/blobs/uploads/?mount={digest}&from={THEIRS}"
            assert victim.v2.send("POST", asked, token=token).status == 202
        assert not victim.blob_path(digest).exists()


def test_a_download_url_reaches_one_blob_of_one_registry_CVE_2026_35172(victim, secret):
    """CVE-2026-35172: what was signed for one blob is no key to another, and none at all in another registry."""
    digest = digest_of(secret)
    where = urlsplit(victim.v2.send("GET", f"/v2/{THEIRS}/blobs/{digest}").headers["Location"])
    storage = victim.v2.with_host(where.netloc)
    assert (
        storage.exchange(request_bytes("GET", f"{where.path}?{where.query}", [("Host", where.netloc)])).body == secret
    )
    payload, query, (signature,) = where.path[1:], where.query, parse_qs(where.query)["X-Amz-Signature"]
    swapped = [
        payload,
        f"{payload}?",
        f"?{query}",
        f"{payload[:-2]}AA?{query}",
        f"{payload}?X-Amz-Signature={'0' * 64}",
    ]
    paths = [quote(victim.v2.token), f"{payload}/../../{NOWHERE}?{query}", "", "..", "%2e%2e%2flock"]
    for forged in (*swapped, *paths, f"{payload}.{signature}"):
        asked = request_bytes("GET", f"/{forged}", [("Host", where.netloc)])
        assert storage.exchange(asked).status in {403, 404}
        assert victim.v2.send("GET", f"/v2/_signed/{forged}", token="").status in {403, 404}


LISTINGS = [
    ("GET", "/v2/_catalog"), ("GET", f"/v2/{THEIRS}/tags/list"), ("GET", f"/v2/{THEIRS}/manifests/1.0"),
    ("HEAD", f"/v2/{THEIRS}/manifests/1.0"), ("GET", f"/v2/{THEIRS}/referrers/{NOWHERE}"),
    ("GET", f"/v2/{THEIRS}/blobs/{NOWHERE}"), ("POST", f"/v2/{THEIRS}/blobs/uploads/"),
    ("GET", "/v2/no/such/tags/list"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), LISTINGS)
def test_nothing_is_told_without_a_token_CVE_2022_46463(victim, secret, method, path):
    """CVE-2022-46463: harbor told anybody which repositories there are, and what is in them."""
    answer = victim.v2.send(method, path, token="")
    assert answer.status == 401
    assert answer.body == (b"" if method == "HEAD" else b"Not Authorized\n"), "not even whether it is there"


def test_a_right_in_one_repository_is_none_in_another_CVE_2019_16919(tmp_path):
    """CVE-2019-16919: harbor gave a project's admin a robot account with rights in other projects."""
    mine = {"Effect": "Allow", "Action": "ecr:*", "Resource": f"{ARN}/{OURS}"}
    token = {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:CreateRepository"], "Resource": "*"}
    policy = Policy("mine", {"Version": "2012-10-17", "Statement": [mine, token]})
    user = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ada", "AKIDADA")
    may_all = Policy("all", {"Version": "2012-10-17", "Statement": [{**mine, "Resource": "*"}]})
    rights = [may_all]
    with attacked(tmp_path, identities=lambda _: list(rights), principal_of=lambda _: user) as victim:
        for name in (OURS, THEIRS):
            victim.api.call("CreateRepository", {"repositoryName": name})
            victim.push(victim.image("x", name), "1.0", name)
        rights[:] = [policy]
        for method, path in LISTINGS[1:7]:
            assert victim.v2.send(method, path).status == 403
        assert victim.put(encoded({}), "1.0", name=THEIRS).status == 403
        for operation in ("ListImages", "DescribeImages", "GetRepositoryPolicy", "DeleteRepository"):
            assert victim.api.call(operation, {"repositoryName": THEIRS}).code == "AccessDeniedException"
        assert victim.v2.send("GET", f"/v2/{OURS}/tags/list").status == 200
        rights[:] = [may_all]
