"""Small images pushed by several clients at once, as the distribution specification says."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import urllib3

from lab.images import CONFIG, LAYER, MANIFEST
from lab.peers import Peer

LAYER_BYTES = 4096


@dataclass(frozen=True)
class Pushes:
    """How many pushes went how."""

    seconds: float
    errors: Sequence[str]
    """What was answered instead of a success, once for each push that failed."""


def push_many(peer: Peer, token: str | None, *, clients: int, pushes: int) -> Pushes:
    """Push so many images in all, each client one after the other."""
    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        errors = pool.map(lambda number: _client(peer, token, range(number, pushes, clients)), range(clients))
        return Pushes(
            errors=[error for of_client in errors for error in of_client], seconds=time.perf_counter() - started
        )


def _client(peer: Peer, token: str | None, images: Iterable[int]) -> list[str]:
    errors = []
    headers = {"Authorization": f"Basic {token}"} if token else {}
    with urllib3.PoolManager(retries=False, timeout=60, headers=headers) as http:
        for image in images:
            try:
                _push(http, f"http://{peer.registry}", f"v{image}")
            except (RuntimeError, urllib3.exceptions.HTTPError) as error:
                errors.append(str(error))
    return errors


def _push(http: urllib3.PoolManager, url: str, image_tag: str) -> None:
    layer = {"mediaType": LAYER, **_push_blob(http, url, os.urandom(LAYER_BYTES))}
    config = {"mediaType": CONFIG, **_push_blob(http, url, json.dumps({"name": image_tag}).encode())}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    headers = {**http.headers, "Content-Type": MANIFEST}
    _require(
        http.request("PUT", f"{url}/v2/team/app/manifests/{image_tag}", body=json.dumps(manifest), headers=headers), 201
    )


def _push_blob(http: urllib3.PoolManager, url: str, data: bytes) -> dict[str, str | int]:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    begun = _require(http.request("POST", f"{url}/v2/team/app/blobs/uploads/"), 202)
    location = begun.headers["Location"]
    if location.startswith("/"):
        location = url + location
    joined = "&" if "?" in location else "?"
    headers = {**http.headers, "Content-Type": "application/octet-stream"}
    _require(http.request("PUT", f"{location}{joined}digest={digest}", body=data, headers=headers), 201)
    return {"digest": digest, "size": len(data)}


def _require(answer: urllib3.BaseHTTPResponse, status: int) -> urllib3.BaseHTTPResponse:
    if answer.status != status:
        raise RuntimeError(f"{answer.status} instead of {status}: {answer.data[:200]!r}")
    return answer
