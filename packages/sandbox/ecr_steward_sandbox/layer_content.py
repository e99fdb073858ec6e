"""The content of a version of a Lambda layer, as Lambda lends it: a zip at a signed address of S3.

moto has a placeholder for what was deployed; the content is the built folder, or what was published since.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.deploy import Aws
from ecr_steward_sandbox.moto_gateway import HttpAnswer

_SECONDS: Final = 600
"""For which the address is good (GetLayerVersion, Lambda API reference)."""


class LayerContent:
    """Lends the content of the layers that it can find."""

    def __init__(self, folder_of: Callable[[str], Path | None]) -> None:
        """``folder_of`` knows the unpacked content of a version by its ARN."""
        self._folder_of = folder_of
        self._stored: set[str] = set()

    def lend(self, request: HttpRequest, call: ApiCall, account: str, answer: HttpAnswer) -> HttpAnswer:
        """The answer with the address of the content in it."""
        if call.service != "lambda" or call.operation != "GetLayerVersion" or answer.status >= 300:
            return answer
        document = json.loads(answer.body)
        folder = self._folder_of(document["LayerVersionArn"])
        if folder is None:
            return answer
        bucket, key = f"lambda-layers-{account}-{call.region}", document["LayerVersionArn"].rpartition(":layer:")[2]
        self._store(Aws(account, call.region), bucket, key, folder)
        url = f"http://{request.headers.get('host', 'localhost')}/{bucket}/{quote(key, safe='')}"
        document["Content"]["Location"] = _signed(url, account, call.region)
        return replace(answer, body=json.dumps(document).encode())

    def _store(self, aws: Aws, bucket: str, key: str, folder: Path) -> None:
        if f"{bucket}/{key}" in self._stored:
            return
        s3 = aws.client("s3")
        if bucket not in {one["Name"] for one in s3.list_buckets()["Buckets"]}:
            where = (
                {} if aws.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": aws.region}}
            )
            s3.create_bucket(Bucket=bucket, **where)
        s3.put_object(Bucket=bucket, Key=key, Body=_zipped(folder))
        self._stored.add(f"{bucket}/{key}")


def _signed(url: str, account: str, region: str) -> str:
    """The account that Lambda lends it to: the sandbox takes an account's number for its root."""
    request = AWSRequest("GET", url)
    S3SigV4QueryAuth(Credentials(account, "sandbox"), "s3", region, expires=_SECONDS).add_auth(request)
    return str(request.url)


def _zipped(folder: Path) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(folder))
    return content.getvalue()
