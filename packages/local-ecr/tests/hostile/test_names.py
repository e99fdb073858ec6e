"""Paths, repository names and digests that are none: nothing is built of them, neither a path nor a query."""

import json
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.victim import NOWHERE, REPOSITORY, descriptor, digest_of, encoded

DIGEST_FLAWS = {
    "no encoded part": "sha256:",
    "no algorithm": f":{'0' * 64}",
    "no colon": f"sha256{'0' * 64}",
    "capital algorithm": f"SHA256:{'0' * 64}",
    "capital hex": f"sha256:{'A' * 64}",
    "one digit too few": f"sha256:{'0' * 63}",
    "one digit too many": f"sha256:{'0' * 65}",
    "another algorithm's length": f"sha512:{'0' * 64}",
    "unknown algorithm": f"sha384:{'0' * 96}",
    "weak algorithm": f"md5:{'0' * 32}",
    "no hex": f"sha256:{'g' * 64}",
    "full-width digits": f"sha256:{'０' * 64}",
    "a line's end": f"sha256:{'0' * 64}\n",
    "NUL": f"sha256:{'0' * 64}\0",
    "a blank before": f" sha256:{'0' * 64}",
    "a path": "sha256:../../../../etc/passwd",
    "a path as long as a digest": "sha256:" + "../" * 21 + "x",
    "an absolute path": "sha256:/etc/passwd",
    "a path as its algorithm": f"../../state.sqlite3:{'0' * 64}",
    "two colons": f"sha256:{'0' * 32}:{'0' * 31}",
    "8 KiB": "sha256:" + "0" * 8192,
}

NAME_FLAWS = {
    "dots": "..",
    "dots inside": "fuzz/../app",
    "escaped dots": "%2e%2e/%2e%2e/etc",
    "escaped slash": "..%2f..%2fetc",
    "twice escaped": "%252e%252e",
    "overlong UTF-8": "%c0%ae%c0%ae/app",
    "overlong slash": "fuzz%c0%afapp",
    "no UTF-8": "%ff%fe",
    "half a surrogate pair": "%ed%a0%80",
    "NUL": "fuzz/app%00",
    "line ends": "fuzz%0d%0aSet-Cookie:x=1/app",
    "double slash": "fuzz//app",
    "leading slash": "/fuzz/app",
    "trailing slash": "fuzz/app/",
    "backslashes": "..%5c..%5cetc",
    "capitals": "FUZZ/app",
    "a homograph": quote("fuzz/аpp"),
    "full width": quote("ｆuzz/app"),
    "a combined accent": quote("fuzz/a\u0301pp"),
    "a zero-width blank": quote("fuzz/app\u200b"),
    "a right-to-left mark": quote("fuzz/\u202eppa"),
    "a dot at the end": "fuzz/app.",
    "three underscores": "fuzz___app",
    "a word of the path": "_catalog/x",
    "257 characters": "a" * 257,
    "8 KiB": "a" * 8192,
    "a thousand levels": "a/" * 1000 + "a",
    "a SQL text": quote("x' OR '1'='1"),
    "a wildcard": "fuzz/%25",
    "a registry's folder": "../../111122223333/us-east-1/uploads",
}
RESTS = ["tags/list", "blobs/uploads/", f"blobs/{NOWHERE}", "manifests/latest", f"referrers/{NOWHERE}"]


@pytest.mark.parametrize("flaw", DIGEST_FLAWS)
def test_what_is_no_digest_names_no_blob_CVE_2024_3727_GHSA_6wvf_f2vw_3425(victim, flaw):
    """CVE-2024-3727 / GHSA-6wvf-f2vw-3425: containers/image joined what is behind the colon to a path."""
    digest = quote(DIGEST_FLAWS[flaw], safe=":")
    for method in ("GET", "HEAD"):
        answer = victim.v2.send(method, f"/v2/{REPOSITORY}/blobs/{digest}")
        assert answer.status in {400, 404}
    asked = [f"blobs/uploads/?digest={quote(DIGEST_FLAWS[flaw])}", f"blobs/uploads/?mount={quote(DIGEST_FLAWS[flaw])}"]
    for rest in asked:
        answer = victim.v2.send("POST", f"/v2/{REPOSITORY}/{rest}&from={REPOSITORY}", body=b"x")
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    if "/" not in DIGEST_FLAWS[flaw]:
        answer = victim.v2.send("GET", f"/v2/{REPOSITORY}/referrers/{digest}")
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize("flaw", DIGEST_FLAWS)
def test_a_manifest_is_refused_when_it_names_what_is_no_digest_CVE_2024_3727(victim, flaw):
    """CVE-2024-3727: the digest stood in a manifest."""
    bad = descriptor(DIGEST_FLAWS[flaw])
    image = victim.image()
    for members in ({"layers": [bad]}, {"config": bad}, {"subject": bad}):
        assert victim.put({**image, **members}, "bad").code == "UNSUPPORTED"
    names = {"imageManifest": json.dumps({**image, "layers": [bad]}), "repositoryName": REPOSITORY}
    assert victim.api.call("PutImage", names).code == "InvalidParameterException"


@pytest.mark.parametrize("flaw", DIGEST_FLAWS)
def test_the_api_refuses_what_is_no_digest_CVE_2026_7020_GHSA_x99g_8v8j_25j2(victim, flaw):
    """CVE-2026-7020 / GHSA-x99g-8v8j-25j2: ollama took the digest of a blob's URL for a file's name."""
    digest = DIGEST_FLAWS[flaw]
    asked = {
        "BatchCheckLayerAvailability": {"layerDigests": [digest]},
        "GetDownloadUrlForLayer": {"layerDigest": digest},
        "BatchGetImage": {"imageIds": [{"imageDigest": digest}]},
    }
    for operation, members in asked.items():
        answer = victim.api.call(operation, {"repositoryName": REPOSITORY, **members})
        if answer.status == 200:
            [told] = [*answer.json()["failures"], *answer.json().get("layers", [])]
            assert "failureCode" in told or told["layerAvailability"] == "UNAVAILABLE"
        else:
            assert answer.code in {"InvalidParameterException", "LayersNotFoundException"}


@pytest.mark.parametrize("flaw", NAME_FLAWS)
def test_what_is_no_repository_name_reaches_no_repository_CVE_2014_9358_GHSA_qmmc_jppf_32wv(victim, flaw):
    """CVE-2014-9358 / GHSA-qmmc-jppf-32wv: Docker took ids and names that a registry told for paths."""
    for rest in RESTS:
        method = "POST" if rest.endswith("uploads/") else "GET"
        answer = victim.v2.send(method, f"/v2/{NAME_FLAWS[flaw]}/{rest}")
        assert answer.status in {400, 404}
        assert answer.code in {"NAME_INVALID", "NAME_UNKNOWN", "DIGEST_INVALID", "MANIFEST_UNKNOWN"}


@pytest.mark.parametrize("flaw", [flaw for flaw in NAME_FLAWS if "%" not in NAME_FLAWS[flaw]])
def test_no_repository_is_created_by_what_is_no_name_CVE_2014_9358(victim, flaw):
    """CVE-2014-9358 / GHSA-qmmc-jppf-32wv: the same through the JSON API."""
    for operation in ("CreateRepository", "InitiateLayerUpload", "DescribeImages"):
        answer = victim.api.call(operation, {"repositoryName": NAME_FLAWS[flaw]})
        assert answer.code == "InvalidParameterException"


@pytest.mark.parametrize("upload_id", ["../../state.sqlite3", "..%2f..%2flock", "%00", "*", "_", "0" * 36, "a" * 8192])
def test_an_upload_id_is_looked_up_before_it_is_a_file_CVE_2014_9358(victim, upload_id):
    """CVE-2014-9358 / GHSA-qmmc-jppf-32wv: the same with what names a file while an upload lasts."""
    for method in ("GET", "PATCH", "PUT", "DELETE"):
        answer = victim.v2.send(method, f"/v2/{REPOSITORY}/blobs/uploads/{upload_id}?digest={NOWHERE}")
        assert answer.status in {400, 404}


@pytest.mark.parametrize("registry", ["11112222333/us-east-1", "111122223333/../..", "../x/us-east-1", "0/0"])
def test_a_host_name_that_names_no_registry_opens_none_CVE_2026_48710_GHSA_86qp_5c8j_p5mr(victim, registry):
    """CVE-2026-48710 / GHSA-86qp-5c8j-p5mr: starlette put the Host header into the URL whose path apps asked for."""
    account, _, region = registry.partition("/")
    for host in (
        f"{account}.dkr.ecr.{region}.amazonaws.com",
        f"x/v2/{REPOSITORY}/tags/list?",
        "a\\b",
        "[::1",
        "",
        "@:#",
    ):
        for path, status in (("/v2/", 200), ("/v2/none/such/tags/list", 404)):
            answer = victim.v2.send("GET", path, headers=[("X-First", "1"), ("X-Forwarded-Host", host)])
            assert answer.status == status
            raw = victim.v2.with_host(host).send("GET", path)
            assert raw.status == 421, "no host of ours, and no path of the host"


pieces = st.sampled_from(
    ["fuzz", "app", "..", ".", "", "%2e%2e", "%2F", "%00", "%c0%af", "%ff", "//", "_catalog", "_signed", "blobs",
     "uploads", "manifests", "tags", "list", "referrers", NOWHERE, "latest", "\\", "a" * 300, "%", "%zz", ";x=1", "+"]
) | st.text(max_size=12).map(lambda text: quote(text, safe=""))  # fmt: skip
paths = st.lists(pieces, max_size=8).map("/".join)
queries = st.lists(
    st.tuples(
        st.sampled_from(["n", "last", "digest", "mount", "from", "artifactType", "after", "%00", ""]),
        st.sampled_from([NOWHERE, REPOSITORY, "-1", "0", "9" * 400, "%ff", "%00", "../..", "%0d%0a"])
        | st.text(max_size=9).map(quote),
    ),
    max_size=3,
).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs))
methods = st.sampled_from(["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "LINK", "PURGE", "GOT"])
likely = st.sampled_from([f"{REPOSITORY}/{rest}" for rest in (*RESTS, f"manifests/{NOWHERE}", "blobs/uploads/x")])
references = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20) | st.from_regex(
    r"(sha256|sha512|[a-z]{1,5}):[0-9a-fA-F]{0,130}", fullmatch=True
)


def require_refused_or_answered(victim, method, path, query, body):
    victim.v2.send(method, f"/v2/{path}?{query}", body=body)


@settings(max_examples=40)
@given(method=methods, path=paths | likely, query=queries, body=st.binary(max_size=20))
def test_every_path_is_answered_in_form(victim, method, path, query, body):
    require_refused_or_answered(victim, method, path, query, body)


@pytest.mark.slow
@settings(max_examples=4000)
@given(method=methods, path=paths | likely, query=queries, body=st.binary(max_size=20))
def test_every_path_is_answered_in_form_again_and_again(victim, method, path, query, body):
    require_refused_or_answered(victim, method, path, query, body)
    victim.require_own_files()


@settings(max_examples=20)
@given(reference=references)
def test_a_reference_is_a_tag_a_digest_or_refused(victim, reference):
    image = encoded({"schemaVersion": 2})
    answer = victim.v2.send("PUT", f"/v2/{REPOSITORY}/manifests/{quote(reference, safe='')}", body=image)
    assert answer.status in {400, 404, 405} or answer.headers["Docker-Content-Digest"] == digest_of(image)
