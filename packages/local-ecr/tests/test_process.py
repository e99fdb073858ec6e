"""`python -m local_ecr` as a process: what it says, what it refuses, and how it ends."""

import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
import urllib3
from botocore.config import Config


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_it_refuses_a_registry_that_is_none():
    command = [sys.executable, "-m", "local_ecr", "--registry", "../etc"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert "not a 12-digit account" in ended.stderr


@pytest.mark.slow
def test_a_folder_is_refused_when_another_process_is_using_it(tmp_path):
    with running(tmp_path):
        command = [sys.executable, "-m", "local_ecr", "--data", str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert f"another local ECR is using {tmp_path}: end that one, or name another folder" in ended.stderr
    assert "Traceback" not in ended.stderr
