"""A folder of local_ecr with more images than a benchmark has time to push."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from itertools import groupby
from pathlib import Path

from lab.peers import ACCOUNT, REGION
from local_ecr import LocalEcr, Registry, SeededImages


def seed(folder: Path, counts: Mapping[str, int], region: str = REGION) -> None:
    """Put so many tagged images into each of these repositories."""
    with closing(LocalEcr(folder)) as ecr:
        for count, named in groupby(counts, counts.__getitem__):
            ecr.seed(Registry(ACCOUNT, region), named, SeededImages(count=count))
