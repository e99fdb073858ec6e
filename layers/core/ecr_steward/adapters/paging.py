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
    for page in whole_pages(client, operation, page_size=page_size, **request):
        yield from page.get(result_key, [])


def whole_pages(client: BaseClient, operation: str, *, page_size: int | None = None, **request: Any) -> Iterator[Any]:
    """Every page of an answer whose entries lie deeper, or that says more than its entries do."""
    config = {"PageSize": page_size} if page_size else {}
    yield from client.get_paginator(operation).paginate(PaginationConfig=config, **request)
