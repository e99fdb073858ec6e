"""TLS with a certificate authority of the folder's own: who trusts it reaches every name, by a proxy AWS's, too."""

import ssl
import stat

import boto3
import pytest
import urllib3
from botocore.config import Config

from local_ecr import LocalEcr, LocalEcrServer
from local_ecr import proxy as proxy_module
from local_ecr.tls import TlsFolderError, server_context
from tests.conftest import ACCOUNT, Distribution, as_json
from tests.hosts.raw import connect, exchange, port_of, read_answer

AWS_HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    with LocalEcrServer(LocalEcr(folder), tls=folder / "tls") as server:
        yield server


@pytest.fixture
def client(server):
    return client_of(server, endpoint_url=server.endpoint_url)


def client_of(server, **options):
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "not-verified"}
    return boto3.client("ecr", region_name="us-east-1", verify=str(server.ca_file), **keys, **options)


@pytest.fixture
def team_app(server, client, request):
    """A repository of the test's own, over TLS."""
    name = f"team/{request.node.name[:40].strip('_')}"
    client.create_repository(repositoryName=name)
    token = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    http = urllib3.PoolManager(ca_certs=str(server.ca_file), retries=False, timeout=10)
    return Distribution(http, server.registry_url(ACCOUNT, "us-east-1"), token, name)


def handshake(server, name, *, address="127.0.0.1"):
    """The names that a server shows to a client which trusts the folder's authority and wants this one."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    with (
        connect(port_of(server.endpoint_url), address) as connection,
        context.wrap_socket(connection, server_hostname=name) as secured,
    ):
        return [value for _, value in secured.getpeercert()["subjectAltName"]]


@pytest.mark.parametrize(
    "name",
    [
        "127.0.0.1",
        "::1",
        "localhost",
        f"{ACCOUNT}.dkr.ecr.us-east-1.localhost",
        "444455556666.dkr.ecr.eu-west-1.localhost",
        "api.ecr.us-east-1.localhost",
        AWS_HOST,
        f"{ACCOUNT}.dkr.ecr-fips.us-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws",
        "api.ecr.us-east-1.amazonaws.com",
        "ecr.eu-west-1.api.aws",
    ],
)
def test_a_client_that_trusts_the_authority_believes_every_name(server, name):
    assert handshake(server, name)


def test_a_client_does_not_believe_a_name_when_nobody_serves_its_region(server):
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(server, f"{ACCOUNT}.dkr.ecr.ap-south-1.amazonaws.com")


def test_every_url_that_is_told_says_https(server, client, team_app):
    [data] = client.get_authorization_token()["authorizationData"]
    manifest = team_app.image("one")
    assert team_app.push_manifest("1.0", manifest).status == 201
    layer = manifest["layers"][0]["digest"]
    url = client.get_download_url_for_layer(repositoryName=team_app.repository_name, layerDigest=layer)["downloadUrl"]
    challenge = team_app.send("GET", "/v2/", token="").headers["Www-Authenticate"]
    assert data["proxyEndpoint"] == team_app.url
    assert url.startswith("https://127.0.0.1:")
    assert not url.startswith(team_app.url)
    assert challenge == f'Basic realm="{team_app.url}/",service="ecr.amazonaws.com"'
    assert team_app.http.request("GET", url).data == b"one"
    assert {urllib3.util.parse_url(each).scheme for each in (team_app.url, server.endpoint_url)} == {"https"}


def test_locations_and_links_lead_back_to_where_the_client_came_from(team_app):
    """They name no host, so that they are good under every name that we have, and by a proxy; but for layers, and for
    the next page of tags, whose absolute URL has the host that the client asked.
    """
    manifest = team_app.image("one")
    for tag in ("1.0", "1.1"):
        assert team_app.push_manifest(tag, manifest).status == 201
    begun = team_app.send("POST", "blobs/uploads/")
    listed = team_app.send("GET", "tags/list?n=1")
    pulled = team_app.send("GET", f"blobs/{manifest['layers'][0]['digest']}", redirect=False)
    assert begun.headers["Location"].startswith("/v2/")
    assert listed.headers["Link"].startswith(f"<{team_app.url}/v2/")
    assert pulled.headers["Location"].startswith("https://localhost:")


def test_an_image_comes_back_by_the_name_at_aws_when_our_proxy_is_used(server, team_app):
    by_proxy = urllib3.ProxyManager(server.proxy_url, ca_certs=str(server.ca_file), retries=False, timeout=10)
    there = Distribution(by_proxy, f"https://{AWS_HOST}", team_app.token, team_app.repository_name)
    manifest = there.image("one")
    assert there.push_manifest("1.0", manifest).status == 201
    assert there.send("GET", "manifests/1.0").data == as_json(manifest)
    pulled = there.send("GET", f"blobs/{manifest['layers'][0]['digest']}", redirect=False)
    layer = pulled.headers["Location"]
    assert layer.startswith("https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/")
    assert by_proxy.request("GET", layer).data == b"one"
    assert f'realm="https://{AWS_HOST}/"' in there.send("GET", "/v2/", token="").headers["Www-Authenticate"]


def test_boto3_needs_no_endpoint_when_our_proxy_is_used(server, client):
    client.create_repository(repositoryName="team/by-proxy")
    by_proxy = client_of(server, config=Config(proxies={"https": server.proxy_url}))
    assert by_proxy.describe_repositories(repositoryNames=["team/by-proxy"])["repositories"]


def test_registries_are_named_as_at_aws_for_whoever_came_by_such_a_name(server, client, team_app):
    manifest = team_app.image("one")
    assert team_app.push_manifest("1.0", manifest).status == 201
    layer = {"repositoryName": team_app.repository_name, "layerDigest": manifest["layers"][0]["digest"]}
    direct, by_proxy = client, client_of(server, config=Config(proxies={"https": server.proxy_url}))
    for asked, host in ((direct, server.registry_url(ACCOUNT, "us-east-1").partition("://")[2]), (by_proxy, AWS_HOST)):
        [login] = asked.get_authorization_token()["authorizationData"]
        assert login["proxyEndpoint"] == f"https://{host}"
        [repository] = asked.describe_repositories(repositoryNames=[team_app.repository_name])["repositories"]
        assert repository["repositoryUri"] == f"{host}/{team_app.repository_name}"
        storage = "prod-us-east-1-starport-layer-bucket.s3." if host == AWS_HOST else "127.0.0.1:"
        assert asked.get_download_url_for_layer(**layer)["downloadUrl"].startswith(f"https://{storage}")


@pytest.mark.parametrize("host", ["example.com:443", "127.0.0.1:22", f"{AWS_HOST}.example.com:443"])
def test_no_tunnel_leads_to_somebody_elses_host(server, host):
    answer = exchange(port_of(server.proxy_url), f"CONNECT {host} HTTP/1.1\r\nHost: {AWS_HOST}\r\n\r\n".encode())
    assert answer.status == 403
    assert "no open proxy" in answer.body


def test_a_tunnel_ends_when_what_comes_is_no_tls(server):
    with connect(port_of(server.proxy_url)) as connection:
        connection.sendall(f"CONNECT {AWS_HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert read_answer(connection).status == 200
        connection.sendall(b"GET /v2/ HTTP/1.1\r\n\r\n")
        assert connection.recv(1 << 16)[:1] in {b"", b"\x15"}, "at most a TLS alert"


@pytest.mark.slow
def test_the_server_ends_in_time_when_a_tunnel_is_still_without_tls(serve, tmp_path):
    server = serve(tls=tmp_path / "tls")
    connection = connect(port_of(server.proxy_url))
    try:
        connection.sendall(f"CONNECT {AWS_HOST}:443 HTTP/1.1\r\n\r\n".encode())
        assert read_answer(connection).status == 200
        server.stop()
    finally:
        connection.close()


def test_the_proxy_ends_a_connection_when_a_request_does_not_end(server, monkeypatch):
    monkeypatch.setattr(proxy_module, "HEAD_SECONDS", 0.05)
    with connect(port_of(server.proxy_url)) as connection:
        connection.sendall(b"CONNECT ")
        assert read_answer(connection).status == 408


@pytest.mark.parametrize("size", [proxy_module.MOST_HEAD + 1, 1_000_000])
def test_the_proxy_refuses_a_request_when_its_head_is_huge(server, size):
    answer = exchange(port_of(server.proxy_url), b"CONNECT " + b"a" * size)
    assert answer.status == 431


@pytest.mark.parametrize(
    ("request_", "status", "says"),
    [
        (b"CONNECT / HTTP/1.1\r\n\r\n", 400, "names no host"),
        (b"\r\n\r\n", 501, "https alone"),
        (b"GET http://example.com/v2/ HTTP/1.1\r\n\r\n", 501, "https alone"),
    ],
)
def test_the_proxy_says_what_it_takes_when_a_request_is_no_tunnel_to_a_host(server, request_, status, says):
    answer = exchange(port_of(server.proxy_url), request_)
    assert answer.status == status
    assert says in answer.body


def test_a_tunnel_to_a_port_of_ours_is_for_its_registry(server):
    ireland = server.registry_url(ACCOUNT, "eu-west-1")
    with urllib3.ProxyManager(server.proxy_url, ca_certs=str(server.ca_file), retries=False, timeout=10) as by_proxy:
        assert f'realm="{ireland}/"' in by_proxy.request("GET", f"{ireland}/v2/").headers["Www-Authenticate"]


def test_plain_http_gets_no_answer_where_tls_is_spoken(server):
    with connect(port_of(server.endpoint_url)) as connection:
        connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not connection.recv(1 << 16).startswith(b"HTTP/")


def test_the_authority_is_kept_when_a_server_is_started_again(tmp_path):
    server_context(tmp_path / "tls", ["localhost"])
    before = (tmp_path / "tls" / "ca.pem").read_bytes()
    server_context(tmp_path / "tls", ["localhost"])
    assert (tmp_path / "tls" / "ca.pem").read_bytes() == before


def test_nobody_else_may_read_the_keys(tmp_path):
    for _ in range(2):
        server_context(tmp_path, ["localhost"])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"ca.pem": modes["ca.pem"], "ca-key.pem": 0o600}


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
def test_it_is_said_what_to_do_when_the_folder_holds_something_else(tmp_path, name):
    server_context(tmp_path / "other", ["localhost"])
    server_context(tmp_path / "tls", ["localhost"])
    (tmp_path / "tls" / name).write_bytes((tmp_path / "other" / name).read_bytes())
    with pytest.raises(TlsFolderError, match=r"is not the key of ca\.pem: remove .*tls for new ones"):
        server_context(tmp_path / "tls", ["localhost"])
    (tmp_path / "tls" / name).write_text("hello")
    with pytest.raises(TlsFolderError, match=r"tls holds no certificate authority of ours: remove it"):
        server_context(tmp_path / "tls", ["localhost"])
