"""Our ports as somebody's HTTP_PROXY: we answer ourselves, whoever is asked for, and lead to nobody."""

import pytest

from tests.hosts.raw import exchange, port_of

IRELAND = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
VIRGINIA = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def server(shared_stand):
    return shared_stand.server


def ask(server, target, *, host="localhost", method="GET", url=None):
    request = f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    return exchange(port_of(url or server.endpoint_url), request)


@pytest.mark.parametrize("host", [IRELAND, f"{IRELAND}:80", "111122223333.dkr.ecr.eu-west-1.localhost:5000"])
def test_a_request_by_proxy_is_for_the_host_that_its_target_and_its_host_header_name(server, host):
    answer = ask(server, f"http://{host}/v2/", host=host)
    assert answer.status == 401
    assert f'realm="http://{host}/"' in answer.head


def test_the_api_answers_by_proxy_when_it_is_asked_for_by_its_name_at_aws(server):
    answer = ask(
        server, "http://api.ecr.us-east-1.amazonaws.com/", host="api.ecr.us-east-1.amazonaws.com", method="POST"
    )
    assert "application/x-amz-json-1.1" in answer.head


@pytest.mark.parametrize("host", ["169.254.169.254", "127.0.0.1:1", "localhost"])
def test_nothing_is_fetched_by_proxy_when_the_host_is_an_address(server, host):
    """It is we who answer: an own request id, and where to log in."""
    answer = ask(server, f"http://{host}/v2/", host=host)
    assert answer.status == 401
    assert f'realm="{server.endpoint_url}/"' in answer.head
    assert "x-amzn-requestid: " in answer.head


@pytest.mark.parametrize("host", ["example.com", f"{VIRGINIA}.example.com", "s3.amazonaws.com"])
def test_a_request_by_proxy_is_refused_when_the_host_is_a_strangers(server, host):
    assert ask(server, f"http://{host}/v2/", host=host).status == 421


@pytest.mark.parametrize("target", [f"{VIRGINIA}:443", "example.com:443", "127.0.0.1:22", "/"])
def test_a_tunnel_is_refused_when_there_is_no_tls(server, target):
    assert ask(server, target, method="CONNECT").status == 400


@pytest.mark.parametrize("target", ["http://", "v2/", "http://[::1/v2/", "http:///v2/"])
def test_a_target_is_refused_when_it_is_none(server, target):
    assert ask(server, target).status == 400


def test_a_request_is_refused_when_its_host_header_has_a_path_CVE_2026_48710(server):
    assert ask(server, "/v2/", host="127.0.0.1/v2/_signed/x?").status == 421


def test_a_request_is_refused_when_it_has_two_host_headers(server):
    assert ask(server, "/v2/", host=f"{VIRGINIA}\r\nHost: {IRELAND}").status == 400
