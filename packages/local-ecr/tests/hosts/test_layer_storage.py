"""Tools 6.4: a blob is redirected to another origin, which takes no Authorization, as S3 does not."""

from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from local_ecr.hosts import is_layer_bucket, layer_bucket

BUCKET = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
VIRGINIA = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def blob(team_app):
    digest = team_app.push_blob(b"hello")
    team_app.refer_to(digest)
    return digest


def location(team_app, blob, host=None):
    """Where a GET of the blob leads a client that came by this host."""
    headers = {"Host": host} if host else {}
    answer = team_app.send("GET", f"blobs/{blob}", redirect=False, headers=headers)
    assert answer.status == 307
    return answer.headers["Location"]


def test_a_layer_is_at_another_origin_that_takes_it_without_authorization(team_app, blob):
    """tools 6.4"""
    url = location(team_app, blob)
    assert urlsplit(url).hostname == "localhost", "who came by 127.0.0.1 and is in Go sends its login to any port of it"
    assert urlsplit(url).port not in {None, urlsplit(team_app.url).port}
    answer = urllib3.request("GET", url)
    assert answer.data == b"hello"
    assert "Docker-Content-Digest" not in answer.headers


def test_a_client_that_sends_its_login_to_the_layers_origin_is_refused_as_by_s3(team_app, blob):
    """tools 6.4, open-policy-agent/opa#6580"""
    answer = urllib3.request("GET", location(team_app, blob), headers={"Authorization": f"Basic {team_app.token}"})
    assert answer.status == 400
    assert b"<Code>InvalidArgument</Code><Message>Only one auth mechanism allowed; only the X-Amz-Alg" in answer.data


def test_the_signature_of_a_layer_is_in_the_query_and_nowhere_else(team_app, blob):
    """Attacks L6: a log that leaves queries out has no URL in it that serves anything."""
    url = location(team_app, blob)
    [signature] = parse_qs(urlsplit(url).query)["X-Amz-Signature"]
    assert signature not in url.partition("?")[0]
    answer = urllib3.request("GET", url.partition("?")[0])
    assert answer.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in answer.data


@pytest.mark.parametrize(
    ("host", "other"),
    [
        ("localhost", "127.0.0.1"),
        (f"{VIRGINIA}:5000", "127.0.0.1"),
        ("111122223333.dkr.ecr.us-east-1.localhost:80", "127.0.0.1"),
        ("[::1]", "localhost"),
        ("host.docker.internal:5000", "host.docker.internal"),
        ("172.17.0.1", "172.17.0.1"),
    ],
)
def test_the_layers_origin_has_another_name_where_one_is_known(team_app, blob, host, other):
    """tools 6.4"""
    url = urlsplit(location(team_app, blob, host))
    assert url.hostname == other
    assert url.port == urlsplit(location(team_app, blob)).port


def test_the_layers_origin_is_ecrs_bucket_for_a_client_that_comes_by_a_proxy(stand, team_app, blob):
    """tools 6.4"""
    url = location(team_app, blob, VIRGINIA)
    assert url.startswith(f"http://{BUCKET}/")
    assert urllib3.ProxyManager(stand.server.endpoint_url).request("GET", url).data == b"hello"


def test_a_login_is_taken_where_the_origin_differs_in_its_port_alone(team_app, blob):
    """tools 6.4: docker in a container sends it on to another port of host.docker.internal."""
    url = location(team_app, blob)
    headers = {"Host": f"host.docker.internal:{urlsplit(url).port}", "Authorization": f"Basic {team_app.token}"}
    assert urllib3.request("GET", url, headers=headers).data == b"hello"


def test_nothing_is_written_at_the_layers_origin(team_app, blob):
    """tools 6.4"""
    url = location(team_app, blob)
    for method in ("PUT", "POST", "DELETE"):
        assert urllib3.request(method, url).status == 405
    assert urllib3.request("HEAD", url).status == 200


@pytest.mark.parametrize(
    "name",
    [f"{BUCKET}.evil.example", f"x{BUCKET}", BUCKET.replace(".s3.us", ".s3.eu"), "prod-x-starport-layer-bucket.s3.x"],
)
def test_ecrs_bucket_is_known_by_its_whole_name(name):
    """tools 6.4"""
    assert layer_bucket("us-east-1") == BUCKET
    assert is_layer_bucket(BUCKET)
    assert not is_layer_bucket(name)
