"""Scans that a person reports to the sandbox, which has no scanner: the images are named, what was found is given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local_ecr import EcrError, LocalEcr, RecordedScan, Registry
from local_ecr.names import InvalidNameError

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

_NOT_THERE = ("ImageNotFoundException", "RepositoryNotFoundException")
_WHERE = ("account", "region", "repository", "digest")


class ScanReportError(Exception):
    """A report that was not kept; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


async def post_scans(sandbox: Sandbox, request: Request) -> Response:
    """Answer `POST /_sandbox/scans`."""
    try:
        document = json.loads(await request.body())
    except ValueError:
        document = None
    region = sandbox.regions[0]
    try:
        count = await to_thread.run_sync(record_scans, sandbox.local_ecr, document, sandbox.account, region)
    except ScanReportError as error:
        return JSONResponse({"error": str(error)}, error.status)
    return JSONResponse({"accepted": count}, 202)


def record_scans(local_ecr: LocalEcr, document: Any, account: str, region: str) -> int:
    """Keep one report or a list of them, all or none, and say how many. Raises ScanReportError.

    A report is `{"account"?, "region"?, "repository", "digest", "type", "status", "description"?, "findings"?}`;
    `account` and `region` are whose image it is when it does not say. Blocks.
    """
    given = document if isinstance(document, list) else [document]
    try:
        reports = [_read(one, account, region) for one in given]
        local_ecr.record_scans(reports)
    except EcrError as refusal:
        raise ScanReportError(refusal.message, 404 if refusal.code in _NOT_THERE else 400) from refusal
    except InvalidNameError as cause:
        raise ScanReportError(str(cause)) from cause
    return len(reports)


def _read(given: Any, account: str, region: str) -> RecordedScan:
    if not isinstance(given, dict) or not {"repository", "digest", "type", "status"} <= given.keys():
        raise ScanReportError("a scan is an object with repository, digest, type and status")
    where = {"account": account, "region": region} | {name: given[name] for name in _WHERE if name in given}
    if not all(isinstance(value, str) for value in where.values()):
        raise ScanReportError("account, region, repository and digest are strings")
    registry = Registry.parse(where["account"], where["region"])
    report = {name: value for name, value in given.items() if name not in _WHERE}
    return RecordedScan(registry, where["repository"], where["digest"], report)
