"""The control API of a running sandbox, as the command line asks it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from ecr_steward_sandbox.control_token import ControlToken

TIMEOUT = urllib3.Timeout(connect=5, read=600)


class ControlError(Exception):
    """The sandbox cannot be asked, or refuses; the message says why and what to do."""


@dataclass(frozen=True)
class ControlClient:
    """`endpoint_url` is what `sandbox up` says to export as AWS_ENDPOINT_URL."""

    endpoint_url: str

    def get(self, path: str, **query: str) -> Any:
        """What is there. Raises ControlError."""
        return self._json("GET", path, fields=query)

    def post(self, path: str, document: Any) -> Any:
        """Let something happen. Raises ControlError."""
        return self._json("POST", path, body=json.dumps(document).encode(), headers=self._token().headers)

    def lines(self, path: str, **query: str) -> Iterator[Any]:
        """Documents as they come, until the sandbox ends. Raises ControlError."""
        with self._pool() as pool:
            answer = self._ask(pool, "GET", path, fields=query, preload_content=False)
            buffer = b""
            try:
                for piece in answer.stream(1 << 16):
                    *lines, buffer = (buffer + piece).split(b"\n")
                    yield from (json.loads(line) for line in lines if line)
            except urllib3.exceptions.HTTPError:
                return  # it has ended, whether or not it could say so

    def _token(self) -> ControlToken:
        """The one of the sandbox that answers, from the file that it names, which its starter can read."""
        file = self.get("").get("token_file", "")
        try:
            return ControlToken.read(Path(file))
        except OSError as cause:
            raise ControlError(
                f"{file}, where {self.endpoint_url} keeps its token, cannot be read ({cause.strerror}): only the user "
                "who started the sandbox can change something in it, on the same machine"
            ) from cause
        except ValueError as cause:
            raise ControlError(f"{self.endpoint_url} is no sandbox: {cause}") from cause

    def _json(self, method: str, path: str, **request: Any) -> Any:
        with self._pool() as pool:
            return json.loads(self._ask(pool, method, path, **request).data)

    @staticmethod
    def _pool() -> urllib3.PoolManager:
        return urllib3.PoolManager(retries=False, timeout=TIMEOUT)

    def _ask(self, pool: urllib3.PoolManager, method: str, path: str, **request: Any) -> urllib3.BaseHTTPResponse:
        url = f"{self.endpoint_url.rstrip('/')}/_sandbox/{path}"
        try:
            answer = pool.request(method, url, **request)
        except urllib3.exceptions.SSLError as cause:
            raise ControlError(
                f"{self.endpoint_url} cannot be trusted ({cause}): export the SSL_CERT_FILE that "
                "`ecr-steward sandbox up` says"
            ) from cause
        except urllib3.exceptions.LocationValueError as cause:
            raise ControlError(f"{self.endpoint_url} is no URL: {cause}") from cause
        except urllib3.exceptions.HTTPError as cause:
            raise ControlError(
                f"no sandbox answers at {self.endpoint_url}: start one with `ecr-steward sandbox up`, and export the "
                "AWS_ENDPOINT_URL that it says"
            ) from cause
        if answer.status >= 400:
            raise ControlError(self._refusal(answer))
        if not answer.headers.get("content-type", "").startswith(("application/json", "application/x-ndjson")):
            raise ControlError(
                f"{self.endpoint_url} is no sandbox: {method} /_sandbox/{path} is not answered with JSON"
            )
        return answer

    def _refusal(self, answer: urllib3.BaseHTTPResponse) -> str:
        try:
            said = json.loads(answer.data)["error"]
        except (ValueError, KeyError, TypeError):
            return (
                f"{self.endpoint_url} answers {answer.status} and is no sandbox: `ecr-steward sandbox up` starts one, "
                "with --ecr-only an ECR alone; `python -m local_ecr` has no such commands"
            )
        return str(said)
