"""Attacks H6: a web page that is open on this machine drives none of our servers, and every program does."""

import pytest

from local_ecr.callers import refusal
from tests.hosts.raw import exchange, port_of

PAGE = "http://evil.example"
PATHS = [
    ("GET", "/v2/"),
    ("PUT", "/v2/team/app/manifests/1.0"),
    ("GET", "/v2/_signed/x"),
    ("POST", "/"),
    ("GET", "/_sandbox/requests"),
    ("POST", "/2015-03-31/functions/f/invocations"),
]


def ask(server, *headers, method="GET", path="/v2/"):
    request = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode()
    return exchange(port_of(server.endpoint_url), request)


@pytest.fixture
def server(shared_stand):
    return shared_stand.server


def serves(name):
    return name == "registry.example"


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_request_is_refused_on_every_path_when_its_host_is_a_strangers(server, method, path):
    """H6, DNS rebinding: the name that the page has is its own."""
    answer = ask(server, "Host: evil.example:80", method=method, path=path)
    assert answer.status == 421
    assert "'evil.example' is not a host name that this server answers to" in answer.body
    assert "--public-host NAME" in answer.body


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    "header", [f"Origin: {PAGE}", "Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"]
)
def test_a_request_is_refused_on_every_path_when_a_page_sends_it(server, method, path, header):
    """H6, a simple request of a page, which the browser sends without asking first."""
    answer = ask(server, f"Host: 127.0.0.1:{port_of(server.endpoint_url)}", header, method=method, path=path)
    assert answer.status == 403
    assert "it is for programs on this machine, not for web pages" in answer.body


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:5000",
        "[::1]:5000",
        "172.17.0.1:5000",
        "localhost",
        "bucket.localhost:80",
        "host.docker.internal:5000",
        "host.containers.internal",
        "registry.example:5000",
        "Registry.Example",
    ],
)
def test_a_program_is_answered_when_it_calls_by_a_name_that_leads_here_alone(host):
    """H6"""
    assert refusal({"host": host}, serves) is None


@pytest.mark.parametrize("host", ["", "a b", "evil.example", "registry.example.evil", "localhost.evil.example"])
def test_nothing_is_answered_when_the_host_is_missing_or_none_of_ours(host):
    """H6"""
    refused = refusal({"host": host}, serves)
    assert refused is not None
    assert refused.status == 421


@pytest.mark.parametrize(
    "host", ["111122223333.dkr.ecr.us-east-1.amazonaws.com", "api.ecr.us-east-1.amazonaws.com", "localhost:5000"]
)
def test_the_server_answers_by_the_names_that_ecr_has(server, host):
    """H6"""
    assert ask(server, f"Host: {host}").status == 401


def test_a_page_of_the_same_origin_is_answered():
    """H6: what a person opens in the address bar, and what is fetched from there."""
    headers = {"host": "localhost:5000", "origin": "http://localhost:5000", "sec-fetch-site": "same-origin"}
    assert refusal(headers, serves) is None
    assert refusal(headers | {"origin": "http://localhost:5001"}, serves) is not None


def test_a_public_host_is_answered_when_one_was_set(serve):
    """H6: what the refusal says to set is enough."""
    server = serve(public_host="registry.example")
    assert ask(server, "Host: registry.example:5000").status == 401
    assert ask(server, "Host: other.example").status == 421
