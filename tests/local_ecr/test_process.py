"""`python -m local_ecr` as a process: started, killed without warning, started again; and how much memory it takes."""

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import urllib3
from botocore.config import Config

MIB = 1 << 20
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Process:
    """A running `python -m local_ecr` on a folder, and a client's way to it."""

    def __init__(self, data: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "local_ecr", "--data", str(data), *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.endpoint = self.process.stdout.readline().split()[-1]
        self.registry = self.process.stdout.readline().split()[-1]
        self.http = urllib3.PoolManager(retries=False, timeout=20, maxsize=8)
        self.client = boto3.client(
            "ecr",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id="111122223333",
            aws_secret_access_key="x",
            config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=20),
        )
        data = self.client.get_authorization_token()["authorizationData"]
        self.headers = {"Authorization": f"Basic {data[0]['authorizationToken']}"}

    def send(self, method, path, body=None, headers=None):
        return self.http.request(method, self.registry + path, body=body, headers={**self.headers, **(headers or {})})

    def push_blob(self, data: bytes) -> dict:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = self.send("POST", "/v2/team/app/blobs/uploads/")
        location = self.send("PATCH", begun.headers["Location"], body=data).headers["Location"]
        assert self.send("PUT", f"{location}?digest={digest}").status == 201
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": len(data)}

    def push_manifest(self, tag: str, config: dict, layers: list) -> tuple[bytes, int]:
        """The manifest as it was sent, and the status of the answer."""
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
        body = json.dumps(manifest).encode()
        path = f"/v2/team/app/manifests/{tag}"
        return body, self.send("PUT", path, body=body, headers={"Content-Type": OCI_MANIFEST}).status

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(20)
        self.process.stdout.close()
        self.http.clear()
        return code


@contextmanager
def running(data: Path, *arguments: str):
    process = Process(data, *arguments)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


def test_it_says_where_it_listens_and_ends_cleanly_when_told_to(tmp_path):
    with running(tmp_path, "--registry", "444455556666/eu-central-1") as process:
        assert process.send("GET", "/v2/").status == 401, "the token of us-east-1 opened eu-central-1"
        assert process.end(signal.SIGTERM) == 0


def test_it_shows_who_is_allowed_what_when_told_to(tmp_path, capfd):
    with running(tmp_path, "--decisions") as process:
        assert process.send("GET", "/v2/no/such/tags/list").status == 404
    told = capfd.readouterr().err.splitlines()
    repository = "arn:aws:ecr:us-east-1:111122223333:repository/no/such"
    assert told == [
        "allowed arn:aws:iam::111122223333:root ecr:GetAuthorizationToken * (api) by account root",
        f"allowed arn:aws:iam::111122223333:root ecr:ListImages {repository} (/v2/) by account root",
    ]


INTERRUPTED_BESIDE_THE_MAIN_THREAD = """
import signal, sys, threading
from local_ecr.__main__ import main

def interrupt_this_thread():
    sys.stdin.readline()
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=interrupt_this_thread).start()
sys.exit(main([]))
"""


def test_it_ends_cleanly_when_the_signal_meets_another_thread():
    command = [sys.executable, "-c", INTERRUPTED_BESIDE_THE_MAIN_THREAD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdout.readline()
            process.stdin.write("now\n")
            process.stdin.flush()
            assert process.wait(20) == 0
        finally:
            process.kill()


def test_it_refuses_a_registry_that_is_none():
    command = [sys.executable, "-m", "local_ecr", "--registry", "../etc"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "not a 12-digit account" in ended.stderr


def test_a_folder_is_refused_when_another_process_is_using_it(tmp_path):
    with running(tmp_path):
        command = [sys.executable, "-m", "local_ecr", "--data", str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"another local ECR is using {tmp_path}" in ended.stderr
    assert "Traceback" not in ended.stderr


def push_until_killed(process: Process, name: str, acknowledged: list) -> None:
    """Push one small image after another; remember what the server said it has."""
    number = 0
    try:
        while True:
            number += 1
            layer = process.push_blob(os.urandom(200_000))
            config = {**layer, "mediaType": OCI_CONFIG}
            tag = f"{name}-{number}"
            body, status = process.push_manifest(tag, config, [layer])
            if status == 201:
                acknowledged.append((tag, body, layer["digest"]))
    except (urllib3.exceptions.HTTPError, KeyError):
        return  # the server is gone in the middle of a request


def check_state(process: Process, acknowledged: list) -> None:
    """All that was acknowledged is there, and all that is there is whole."""
    for tag, body, _ in acknowledged:
        served = process.send("GET", f"/v2/team/app/manifests/{tag}")
        assert served.data == body, f"{tag} was acknowledged and is lost"
    pages = process.client.get_paginator("list_images").paginate(repositoryName="team/app")
    for image_id in [one for page in pages for one in page["imageIds"]]:
        body = process.send("GET", f"/v2/team/app/manifests/{image_id['imageDigest']}").data
        assert f"sha256:{hashlib.sha256(body).hexdigest()}" == image_id["imageDigest"]
        for layer in json.loads(body)["layers"]:
            found = process.send("GET", f"/v2/team/app/blobs/{layer['digest']}")
            blob = process.send("GET", found.headers["Location"]).data
            assert f"sha256:{hashlib.sha256(blob).hexdigest()}" == layer["digest"]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_it_is_killed_under_load(tmp_path):
    acknowledged: list = []
    with running(tmp_path) as process:
        process.client.create_repository(repositoryName="team/app")
        process.end(signal.SIGKILL)
    for round_ in range(12):
        with running(tmp_path) as process:
            check_state(process, acknowledged[-60:])
            pushers = [
                threading.Thread(target=push_until_killed, args=(process, f"r{round_}p{number}", acknowledged))
                for number in range(3)
            ]
            for pusher in pushers:
                pusher.start()
            time.sleep(random.SystemRandom().uniform(0.1, 0.6))
            process.end(signal.SIGKILL)
            for pusher in pushers:
                pusher.join(30)
    assert len(acknowledged) > 30, "too little was pushed to say anything"
    with running(tmp_path) as process:
        check_state(process, acknowledged)
        assert not [path for path in tmp_path.rglob("uploads/*") if path.name not in unfinished(tmp_path)]


def unfinished(data: Path) -> set[str]:
    connection = sqlite3.connect(data / "state.sqlite3")
    try:
        return {row[0] for row in connection.execute("SELECT id FROM upload")}
    finally:
        connection.close()


def peak_memory(process: Process) -> int:
    status = Path(f"/proc/{process.process.pid}/status").read_text(encoding="utf-8")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_memory_does_not_grow_with_the_size_of_a_blob(tmp_path):
    size, block = 400 * MIB, bytes(MIB)
    digest = f"sha256:{hashlib.sha256(bytes(size)).hexdigest()}"
    with running(tmp_path) as process:
        process.client.create_repository(repositoryName="team/app")
        process.push_blob(b"warm")
        before = peak_memory(process)
        location = process.send("POST", "/v2/team/app/blobs/uploads/").headers["Location"]
        patched = process.send("PATCH", location, body=(block for _ in range(size // MIB)))
        assert process.send("PUT", f"{patched.headers['Location']}?digest={digest}").status == 201
        process.push_manifest("big", {"mediaType": OCI_CONFIG, "digest": digest, "size": size}, [])
        found = process.send("GET", f"/v2/team/app/blobs/{digest}")
        pulled = process.http.request(
            "GET", process.registry + found.headers["Location"], preload_content=False, timeout=20
        )
        assert sum(len(piece) for piece in pulled.stream(MIB)) == size
        assert peak_memory(process) - before < 40 * MIB
