"""Scans that end in the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import urllib3

from lab.peers import ACCOUNT, REGION
from measuring.houses import TIMEOUT, House

BASIC = {"type": "BASIC", "status": "COMPLETE"}
ENHANCED = {"type": "ENHANCED", "status": "ACTIVE"}


def report_scans(
    stage: House,
    images: Iterable[tuple[str, str]],
    findings: Sequence[Mapping[str, Any]] = (),
    *,
    kind: Mapping[str, str] = BASIC,
    region: str = REGION,
) -> None:
    """Let scans end, of images by repository and digest, each with these findings. Raises RuntimeError."""
    report = {"account": ACCOUNT, "region": region, **kind, "findings": list(findings)}
    answer = urllib3.request(
        "POST",
        f"{stage.sandbox.endpoint_url}/_sandbox/scans",
        body=json.dumps([{**report, "repository": name, "digest": digest} for name, digest in images]),
        headers=stage.sandbox.control_token.headers,
        retries=False,
        timeout=TIMEOUT,
    )
    if answer.status != 202:
        raise RuntimeError(f"the sandbox took no scan: {answer.data!r}")
