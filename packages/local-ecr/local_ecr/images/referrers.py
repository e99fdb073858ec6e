"""Pages of referrers, each of which is as large as whoever pushed it made its annotations."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing

from local_ecr.state.images import Referrer

MAX_PAGE_BYTES = 4 * 1024 * 1024
"""What a client of OCI distribution must be able to read: an index "of at least 4 megabytes" (Pushing Manifests)."""

_REST = 400  # bytes of a descriptor without what its pusher can make as long as he likes


def fit_page(found: Generator[Referrer], most: int) -> tuple[list[Referrer], int]:
    """The referrers of a page and the one that follows it, if any; and how many of them are the page.

    These are `most`, or fewer if they would be more than MAX_PAGE_BYTES, but never none.
    """
    read: list[Referrer] = []
    fitting, size = 0, 0
    with closing(found):
        for referrer in found:
            read.append(referrer)
            size += _REST + len(json.dumps([referrer.image.artifact_type, dict(referrer.annotations)]))
            if fitting == most or (fitting and size > MAX_PAGE_BYTES):
                break
            fitting += 1
    return read, fitting
