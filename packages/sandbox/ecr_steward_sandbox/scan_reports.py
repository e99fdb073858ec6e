"""Scans that a person reports to the sandbox, which has no scanner: the images are named, what was found is given."""

from __future__ import annotations

import json
from typing import Any

from local_ecr import EcrError, InvalidNameError, LocalEcr, RecordedScan, Registry

EXAMPLE = {
    "repository": "team-a/api",
    "digest": f"sha256:{'0123456789abcdef' * 4}",
    "type": "BASIC",
    "status": "COMPLETE",
    "findings": [{"name": "CVE-2026-1234", "severity": "HIGH"}],
}
"""One report, as a person may copy it."""

_NOT_THERE = ("ImageNotFoundException", "RepositoryNotFoundException")
_WHERE = ("account", "region", "repository", "digest")
_NEEDED = ("repository", "digest", "type", "status")


class ScanReportError(Exception):
    """A report that was not kept; `status` is the answer's."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


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
    if not isinstance(given, dict):
        raise ScanReportError(f"a scan is an object, and a list holds scans; this is {json.dumps(given)[:40]}")
    if missing := [name for name in _NEEDED if name not in given]:
        raise ScanReportError(f"a scan needs {', '.join(_NEEDED)}; this one lacks {', '.join(missing)}")
    where = {"account": account, "region": region} | {name: given[name] for name in _WHERE if name in given}
    if not all(isinstance(value, str) for value in where.values()):
        raise ScanReportError("account, region, repository and digest are strings")
    registry = Registry.parse(where["account"], where["region"])
    report = {name: value for name, value in given.items() if name not in _WHERE}
    return RecordedScan(registry, where["repository"], where["digest"], report)
