"""Our ports as somebody's HTTP_PROXY: for hosts that are ours, and for nobody else's."""

import pytest

from tests.hosts.raw import exchange, port_of

IRELAND = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
VIRGINIA = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def server(shared_stand):
    return shared_stand.server


def ask(server, target, *, host="elsewhere.example", method="GET", url=None):
    request = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    return exchange(port_of(url or server.endpoint_url), request)


@pytest.mark.parametrize("host", [IRELAND, f"{IRELAND}:80", "111122223333.dkr.ecr.eu-west-1.localhost:5000"])
def test_a_request_by_proxy_is_for_the_host_of_its_target_when_the_host_header_says_another(server, host):
    answer = ask(server, f"http://{host}/v2/", host=VIRGINIA)
    assert answer.status == 401
    assert f'realm="http://{host}/"' in answer.head


def test_a_request_by_proxy_is_for_the_port_of_its_target_when_that_is_one_of_ours(server):
    ireland = server.registry_url("111122223333", "eu-west-1")
    answer = ask(server, f"{ireland}/v2/", url=server.registry_url("111122223333", "us-east-1"))
    assert f'realm="{ireland}/"' in answer.head


def test_the_api_answers_by_proxy_when_it_is_asked_for_by_its_name_at_aws(server):
    answer = ask(server, "http://api.ecr.us-east-1.amazonaws.com/", method="POST")
    assert "application/x-amz-json-1.1" in answer.head


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        f"{VIRGINIA}.example.com",
        "169.254.169.254",
        "127.0.0.1:1",
        "localhost",
        "s3.amazonaws.com",
    ],
)
def test_nothing_is_fetched_by_proxy_when_the_host_is_somebody_elses(server, host):
    answer = ask(server, f"http://{host}/v2/", host=VIRGINIA)
    assert answer.status == 403
    assert answer.body == f"This is a local Amazon ECR and no open proxy: {host} is none of its hosts."


@pytest.mark.parametrize(
    ("target", "status", "says"),
    [
        (f"{VIRGINIA}:443", 501, "start the registry with --tls"),
        ("example.com:443", 403, "no open proxy: example.com:443"),
        ("127.0.0.1:22", 403, "no open proxy"),
        ("/", 400, "names no host"),
    ],
)
def test_a_tunnel_is_refused_when_there_is_no_tls_or_the_host_is_not_ours(server, target, status, says):
    answer = ask(server, target, method="CONNECT")
    assert answer.status == status
    assert says in answer.body


@pytest.mark.parametrize("target", ["http://", "ftp://example.com/v2/", "v2/", "http://[::1/v2/", "http:///v2/"])
def test_a_target_is_refused_when_it_names_no_host(server, target):
    assert ask(server, target).status == 400


def test_the_path_stays_what_was_asked_for_when_a_host_header_has_one_CVE_2026_48710(server):
    assert ask(server, "/v2/", host="127.0.0.1/v2/_signed/x?").status == 401
    assert ask(server, "/v2/_signed/x", host="127.0.0.1/v2/?").status == 403


def test_a_request_is_refused_when_it_has_two_host_headers(server):
    assert ask(server, "/v2/", host=f"{VIRGINIA}\r\nHost: {IRELAND}").status == 400


def test_the_realm_is_ours_when_a_host_header_is_a_strangers(server):
    answer = ask(server, "/v2/", host=f"{VIRGINIA}.example.com")
    assert f'realm="{server.endpoint_url}/"' in answer.head
