"""Step 10: a large layer in one PATCH, a cancelled upload, and HEAD."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.content import (
    LAYER,
    MANIFEST,
    RegistryLogin,
    descriptor,
    digest_of,
    push_image,
    pushed_headers,
    random_layer,
)
from real_account.run import Run
from real_account.step import Step

_MEASURED: Final = "the project's copier, which sends each layer in one PATCH; not documented"
PATCH: Final = Belief(
    "one-patch", "a layer of 2 GiB is accepted in one PATCH, and then its PUT answers 201", _MEASURED, "201"
)
PATCH_STATUS: Final = Belief(
    "patch-answers-201",
    "PATCH of an upload answers 201",
    "quirk patch_answers_201: github.com/jdx/mise/pull/11376",
    "201",
)
CANCEL: Final = Belief(
    "upload-cancelled",
    "DELETE of an upload is refused with 405",
    "the API model: no operation cancels an upload",
    "405",
)
HEAD_BLOB: Final = Belief(
    "head-blob",
    "HEAD of a blob that an image is made of answers 200 with its length",
    "OCI distribution spec",
    "200 with its length",
)
HEAD_MANIFEST: Final = Belief(
    "head-manifest", "HEAD of a manifest answers 200 with its digest", "OCI distribution spec", "200 with its digest"
)


def _do(run: Run) -> Iterator[Observation]:
    repository = run.repository("transfer")
    manifest = push_image(run, repository, "transfer", "v1")
    login = RegistryLogin.fetch(run.client("ecr"))
    blob = descriptor(LAYER, b"transfer")
    head = login.ask("HEAD", f"{repository}/blobs/{blob['digest']}")
    length = " with its length" if head.headers.get("Content-Length") == str(blob["size"]) else ""
    yield Observation(HEAD_BLOB, f"{head.status}{length}", f"Content-Length: {head.headers.get('Content-Length')}")
    head = login.ask("HEAD", f"{repository}/manifests/v1", headers={"Accept": MANIFEST})
    same = head.headers.get("Docker-Content-Digest") == digest_of(manifest.encode())
    yield Observation(HEAD_MANIFEST, f"{head.status}{' with its digest' if same else ''}")
    upload = _begin(login, repository)
    cancelled = login.ask("DELETE", upload)
    yield Observation(CANCEL, str(cancelled.status), cancelled.data.decode(errors="replace")[:300])
    hasher, size = hashlib.sha256(), run.sizes.layer_bytes
    patched = login.ask(
        "PATCH",
        _begin(login, repository),
        body=random_layer(size, hasher.update),
        headers=pushed_headers(size),
        timeout=run.pace.seconds_left(),
    )
    yield Observation(PATCH_STATUS, str(patched.status), f"{size} bytes")
    where = _absolute(login, patched.headers["Location"])
    joint = "&" if "?" in where else "?"
    put = login.ask("PUT", f"{where}{joint}digest=sha256:{hasher.hexdigest()}", timeout=run.pace.seconds_left())
    yield Observation(PATCH, str(put.status), f"{size} bytes; {put.data.decode(errors='replace')[:300]}")


def _begin(login: RegistryLogin, repository: str) -> str:
    begun = login.ask("POST", f"{repository}/blobs/uploads/")
    if begun.status != 202:
        raise RuntimeError(f"POST of an upload answers {begun.status}")
    return _absolute(login, begun.headers["Location"])


def _absolute(login: RegistryLogin, location: str) -> str:
    return location if location.startswith("http") else login.endpoint + location


STEP: Final = Step(
    name="10-transfer",
    title="Large layers, cancelled uploads, HEAD",
    how="pushes a layer of random bytes over the registry's HTTP API, and asks for what an image is made of",
    makes="a repository with one small image and a layer of 2 GiB",
    dollars=0.01,
    budget=timedelta(minutes=15),
    beliefs=(HEAD_BLOB, HEAD_MANIFEST, CANCEL, PATCH_STATUS, PATCH),
    do=_do,
)
