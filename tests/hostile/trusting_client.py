"""A client that believes what it is told: it copies one image, or lists tags, and falls for most attacks.

    python trusting_client.py copy|tags HERE REFERENCE THERE TAG

HERE and THERE are URLs of repositories.
"""

import gzip
import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

LOGINS = json.loads(Path(os.environ["DOCKER_CONFIG"], "config.json").read_text())["auths"]
BASIC = f"Basic {next(iter(LOGINS.values()))['auth']}"
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
HEADERS = {"Authorization": BASIC}


def ask(method: str, url: str, body: bytes | None = None, **headers: str) -> Any:
    """The answer to a request, wherever it comes from, with a login for whoever wants one."""
    request = urllib.request.Request(url, body, {**HEADERS, **headers}, method=method)  # noqa: S310
    try:
        return OPENER.open(request)
    except urllib.error.HTTPError as error:
        realm = re.search('realm="(http[^"]+)"', error.headers.get("WWW-Authenticate", ""))
        if error.code != 401 or realm is None:
            raise
        login = urllib.request.Request(realm[1], headers={"Authorization": BASIC})  # noqa: S310
        HEADERS["Authorization"] = f"Bearer {json.load(OPENER.open(login))['token']}"
        return ask(method, url, body, **headers)


def read(url: str) -> tuple[bytes, str]:
    with ask("GET", url) as answer:
        content = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return (gzip.decompress(content) if answer.headers.get("Content-Encoding") == "gzip" else content), kind


def copy(here: str, reference: str, there: str, tag: str) -> None:
    manifest, kind = read(f"{here}/manifests/{reference}")
    document = json.loads(manifest)
    for blob in [document["config"], *document["layers"]]:
        content, _ = read(blob.get("urls", [f"{here}/blobs/{blob['digest']}"])[0])
        with ask("POST", f"{there}/blobs/uploads/", b"") as begun:
            upload = urljoin(there, begun.headers["Location"])
        ask("PUT", f"{upload}?digest={blob['digest']}", content).close()
    ask("PUT", f"{there}/manifests/{tag}", manifest, **{"Content-Type": kind}).close()


def tags(here: str) -> None:
    url = f"{here}/tags/list"
    while url:
        with ask("GET", url) as answer:
            print(json.load(answer)["tags"])
            link = re.match("<(.*)>", answer.headers.get("Link", ""))
            url = link[1] if link else ""


if __name__ == "__main__":
    if sys.argv[1] == "tags":
        tags(sys.argv[2])
    else:
        copy(*sys.argv[2:])
