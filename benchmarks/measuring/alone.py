"""An ECR alone, in a process of its own: two commands that are measured beside each other meet nothing else of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import urllib3

from lab.peers import ACCOUNT, REGION, caller_at, logging_to, require, wait_for_words
from lab.seeding import seed
from measuring.houses import Calls


@dataclass(frozen=True)
class Alone:
    """A running ECR, and an STS that says who is calling."""

    endpoint: str
    sts: str

    def environment(self, region: str = REGION, endpoint: str | None = None) -> Mapping[str, str]:
        """What a command needs to take them for AWS; `endpoint` is another way to ECR."""
        ecr = endpoint or self.endpoint
        return {**caller_at(region), "AWS_ENDPOINT_URL_ECR": ecr, "AWS_ENDPOINT_URL_STS": self.sts}

    @contextmanager
    def counted(self) -> Iterator[Calls]:
        """Filled, at the end, with what ECR was asked meanwhile."""
        calls = Calls()
        known = {request["request_id"] for request in self._requests()}
        yield calls
        asked = [request for request in self._requests() if request["request_id"] not in known]
        calls.of_ecr.update(request["operation"] for request in asked)
        calls.mutating.update(request["operation"] for request in asked if request["mutating"])

    def _requests(self) -> Sequence[Mapping[str, str]]:
        answer = urllib3.request("GET", f"{self.endpoint}/_sandbox/requests", retries=False, timeout=60)
        requests: Sequence[Mapping[str, str]] = answer.json()
        return requests


@contextmanager
def alone(folder: Path, counts: Mapping[str, int], regions: Sequence[str] = (REGION,)) -> Iterator[Alone]:
    """An ECR in which each region has these repositories with so many images."""
    for region in regions:
        seed(folder / "ecr", counts, region)
    # Without --port: the ports it finds are its own, where one found for it may be taken by the time it starts.
    command = [str(Path(sys.executable).with_name("ecr-steward")), "sandbox", "up", "--ecr-only"]
    command += ["--data", str(folder / "ecr"), *(f"--region={region}" for region in regions)]
    ecr_log, sts_log = folder / "ecr.log", folder / "sts.log"
    with logging_to(ecr_log, command) as serving:
        endpoint = wait_for_words(r"ECR ready at (\S+)", ecr_log, serving)
        moto = [require("moto_server", "make setup"), "-p", "0"]
        with logging_to(sts_log, moto, env={**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}) as knowing:
            yield Alone(endpoint, wait_for_words(r"Running on (http://127\.0\.0\.1:\d+)", sts_log, knowing))
