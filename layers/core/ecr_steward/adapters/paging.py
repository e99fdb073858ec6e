"""Listing means all pages."""

from collections.abc import Iterator
from typing import Any

from botocore.client import BaseClient


def all_pages(
    client: BaseClient, operation: str, result_key: str, *, page_size: int | None = None, **request: Any
) -> Iterator[Any]:
    """The entries of every page of a listing, read as they are asked for.

    A service that answers with the same ``nextToken`` twice ends it with botocore's ``PaginationError``.
    """
    config = {"PageSize": page_size} if page_size else {}
    for page in client.get_paginator(operation).paginate(PaginationConfig=config, **request):
        yield from page.get(result_key, [])
