"""A canary in every place where a secret could be: it is told nowhere, and written nowhere in clear."""

import base64
import json
import logging
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle, product
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from local_ecr import Policy, Principal
from tests.conftest import OCI_MANIFEST
from tests.hostile.victim import NOWHERE, REPOSITORY, attacked, encoded
from tests.hostile.wire import API_TYPE, TARGET, Wire, request_bytes

SECRET = "canary-of-a-secret-key-8f1d"
SESSION = "canary-of-a-session-token-77aa"
PASSWORD = "canary-of-a-password-4242"
SIGNED = "canary0of0a0signature0" + "5" * 42
CANARIES = (SECRET, SESSION, PASSWORD, SIGNED)
SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=AKIDCANARYHOLDER/20261124/us-east-1/ecr/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={SIGNED}"
)
LEAKY = [
    ("X-Amz-Security-Token", SESSION), ("Proxy-Authorization", f"Basic {PASSWORD}"), ("X-Api-Key", SECRET),
    ("Cookie", f"session={SESSION}"), ("X-Amz-Meta-Secret", SECRET), ("X-Registry-Auth", PASSWORD),
    ("Www-Authenticate", f'Basic realm="{SECRET}"'), ("X-Original-Authorization", SIGNATURE),
]  # fmt: skip
QUERY = "&".join(
    f"{name}={value}"
    for name, value in [("password", PASSWORD), ("token", SESSION), ("X-Amz-Signature", SIGNED),
                        ("X-Amz-Security-Token", SESSION), ("aws_secret_access_key", SECRET)]
)  # fmt: skip


def forms_of(secret):
    """As it is, and as it would look in base64 at each offset, in hex, or escaped."""
    raw = secret.encode()
    shifted = [base64.b64encode(b"x" * offset + raw).decode()[4:-4] for offset in range(3)]
    return {secret, quote(secret), raw.hex(), *shifted}


def basic(password, user="AWS"):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


CALLS = [
    ("DescribeRepositories", {}), ("CreateRepository", {"repositoryName": REPOSITORY}), ("PutImage", {}),
    ("DeleteRepository", {"repositoryName": "no/such"}), ("GetAuthorizationToken", {}), ("Nothing", {}),
    ("CreatePullThroughCacheRule", {}), ("ListImages", {"repositoryName": REPOSITORY, "nextToken": "e30.x"}),
]  # fmt: skip


def send_secrets(wire, api):
    """Requests of every kind that hold secrets where they belong, and where they do not; the tokens that were given."""
    given = []
    v2 = ["", "_catalog", f"{REPOSITORY}/tags/list", f"{REPOSITORY}/manifests/x", f"{REPOSITORY}/blobs/{NOWHERE}",
          f"{REPOSITORY}/referrers/{NOWHERE}", "no/such/tags/list", "%00/tags/list", f"_signed/{SIGNED}",
          f"_signed/e30.{SIGNED}"]  # fmt: skip
    tokens = [basic(PASSWORD), basic(PASSWORD, "root"), basic(f"e30.{SIGNED}"), PASSWORD, "", wire.token]
    for (path, method), token in zip(product(v2, ("GET", "HEAD", "PUT", "DELETE")), cycle(tokens)):
        wire.send(method, f"/v2/{path}?{QUERY}", headers=LEAKY, token=token)
    for value in (f"Bearer {SESSION}", f"Digest {PASSWORD}", SIGNATURE, f"Basic {PASSWORD}:{SECRET}", SECRET):
        wire.send("GET", "/v2/", token="", headers=[("Authorization", value)])
    for operation, members in CALLS:
        answer = api.call(operation, members, ("Authorization", SIGNATURE), *LEAKY)
        assert not [one for one in CANARIES if one in answer.body.decode()]
        given += [one["authorizationToken"] for one in answer.json().get("authorizationData", [])]
    for body in (b"{", b"\xff" + SECRET.encode(), b"[]", encoded({"aws_secret_access_key": SECRET})):
        api.call("CreateRepository", body, ("Authorization", SIGNATURE), *LEAKY)
    signed_query = f"/?X-Amz-Credential=AKID/20261124/us-east-1/ecr/aws4_request&{QUERY}"
    headers = [
        ("Host", "localhost"),
        ("X-Amz-Target", TARGET + "DescribeRepositories"),
        ("Content-Type", API_TYPE),
        *LEAKY,
    ]
    for method in ("GET", "POST"):
        api.exchange(request_bytes(method, signed_query, headers), method)
    wire.exchange(b"GET /v2/ HTTP/9.9 " + SECRET.encode() + b"\r\n\r\n")
    wire.exchange(f"BREW /{SECRET} HTTP/1.1\r\nAuthorization: Basic {PASSWORD}\r\n\r\n".encode())
    return given


def written_below(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def require_unsaid(text, secrets, where):
    for secret in secrets:
        for form in forms_of(secret):
            assert form not in text, f"{secret} in {where}"


@contextmanager
def logging_everything():
    """Every logger at DEBUG, those of the HTTP server too, which is started at ERROR."""
    names = ["", "local_ecr", "uvicorn", "uvicorn.error", "uvicorn.access", "asyncio"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


@pytest.fixture
def rights():
    """Everything, and nothing with a referrer, so that a policy has something to say about a header."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return [Policy("all", {"Version": "2012-10-17", "Statement": [statement]})]


def test_no_secret_is_told_or_written_GHSA_c37v_3c8w_crq8(tmp_path, caplog, rights):
    """GHSA-c37v-3c8w-crq8: zot wrote the header with the password to its log."""
    user = Principal("111122223333", "arn:aws:iam::111122223333:user/ada", "AKIDCANARYHOLDER")
    decisions = []
    options = {"identities": lambda _: rights, "principal_of": lambda _: user, "on_decision": decisions.append}
    with attacked(tmp_path, **options) as victim, logging_everything():
        victim.stand.ecr.trail_reads = True
        given = send_secrets(victim.v2, victim.api)
        victim.push(victim.image("with a token"), "1.0")
        rights.clear()
        given += send_secrets(victim.v2, victim.api)
        given.append(victim.v2.token)
        victim.stand.clock.ahead = timedelta(hours=13)
        victim.v2.send("GET", "/v2/", token=given[0])
        ecr = victim.stand.ecr
        passwords = [base64.b64decode(token).decode().removeprefix("AWS:") for token in given]
        why = [line for one in ecr.decisions.entries()[-200:] for line in one.explanation()]
        told = {
            "a log": [record.getMessage() + str(record.exc_info or "") for record in caplog.records],
            "an event": [json.dumps(event) for event in victim.stand.events],
            "the request log": [repr(one) for one in ecr.requests.entries()],
            "a decision": [repr(one) + str(one) for one in decisions] + why,
        }
        rights.append(Policy("all", {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]}))  # fmt: skip
    assert {event["detail-type"] for _, _, event in victim.stand.events} >= {"AWS API Call via CloudTrail"}
    assert decisions and why
    for where, lines in told.items():
        assert lines or where == "a log"
        require_unsaid("\n".join(lines), [*CANARIES, *given, *passwords], where)
    require_unsaid(
        written_below(victim.stand.data).decode("latin-1"), [*CANARIES, *given, *passwords], "the data folder"
    )


PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
from local_ecr.__main__ import main
sys.exit(main(["--data", sys.argv[1], "--decisions"]))
"""


@pytest.mark.slow
def test_no_secret_is_shown_by_a_process_that_shows_everything_GHSA_c37v_3c8w_crq8(tmp_path):
    """GHSA-c37v-3c8w-crq8: its stderr at DEBUG, with every decision, and its folder after it has ended."""
    folder = tmp_path / "ecr"
    with (tmp_path / "stderr").open("wb") as shown:
        process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, stderr=shown, text=True
        )
        try:
            ports = [urlsplit(process.stdout.readline().split()[-1]).port for _ in range(2)]
            api = Wire(ports[0])
            token = api.call("GetAuthorizationToken", {}).json()["authorizationData"][0]["authorizationToken"]
            api.call("CreateRepository", {"repositoryName": REPOSITORY})
            wire = Wire(ports[1], token)
            given = [*send_secrets(wire, api), token]
            wire.send("PUT", f"/v2/{REPOSITORY}/manifests/x", body=b"{}", headers=[("Content-Type", OCI_MANIFEST)])
        finally:
            process.terminate()
            process.communicate(timeout=20)
    told = (tmp_path / "stderr").read_text(errors="replace")
    assert "allowed arn:aws:iam::" in told
    passwords = [base64.b64decode(one).decode().removeprefix("AWS:") for one in given]
    require_unsaid(told, [*CANARIES, *given, *passwords], "stderr")
    require_unsaid(written_below(folder).decode("latin-1"), [*CANARIES, *given, *passwords], "the data folder")


def key_of(victim):
    return victim.stand.ecr.store.signing_key()


def test_the_key_that_signs_is_of_one_folder_alone_and_nobody_elses_default_CVE_2026_4404(tmp_path):
    """CVE-2026-4404: harbor was delivered with a password. Here there is none, and each folder makes its own key."""
    with attacked(tmp_path / "one") as one, attacked(tmp_path / "two") as two:
        assert key_of(one) != key_of(two)
        assert len(key_of(one)) == 32
        assert one.v2.send("GET", "/v2/", token=two.v2.token).status == 401
        for password in ("admin", "Harbor12345", "password", "local", "AWS", "test", "secret"):
            for user in ("AWS", "admin", "root", ""):
                assert one.v2.send("GET", "/v2/", token=basic(password, user)).status == 401


def test_the_key_that_signs_leaves_the_folder_in_no_answer_or_event_CVE_2026_4404(victim):
    """CVE-2026-4404: what every client could know is no secret."""
    key = key_of(victim)
    sent = send_secrets(victim.v2, victim.api)
    told = f"{sent} {victim.stand.events} {victim.stand.ecr.requests.entries()}"
    require_unsaid(told, [key.hex()], "what is told")
    assert base64.b64encode(key).decode() not in told
    names = {path.name for path in Path(victim.stand.data).rglob("*") if path.is_file() and key in path.read_bytes()}
    assert names <= {"state.sqlite3", "state.sqlite3-wal"}
