"""Words of a command line: what argparse takes as `type`."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from local_ecr.names import DEFAULT_REGISTRY, InvalidNameError, Registry
from local_ecr.ready import named


def read_registry(text: str) -> Registry:
    """ACCOUNT/REGION. Raises ArgumentTypeError."""
    account, separator, region = text.partition("/")
    if not separator:
        raise argparse.ArgumentTypeError(f"not ACCOUNT/REGION, such as {named(DEFAULT_REGISTRY)}: {text!r}")
    try:
        return Registry.parse(account, region)
    except InvalidNameError as cause:
        raise argparse.ArgumentTypeError(str(cause)) from cause


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from `least` to `most`; raises ArgumentTypeError."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text[:10]) <= most:
            raise argparse.ArgumentTypeError(f"not a whole number from {least:,} to {most:,}: {text!r}")
        return int(text)

    return read
