"""Host names: which registry, or which region's API, a request is for. The whole name counts, never a part of it.

The names of APIs are those of botocore's endpoint rules for ECR; those of registries are in the user guide ("Making
requests to Amazon ECR registries") and in amazon-ecr-credential-helper, which knows those of FIPS endpoints, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from local_ecr.names import InvalidNameError, Registry, is_region
from local_ecr.partitions import partition_of

LOCALHOST = "localhost"
"""What ends a registry's name that is its own on this machine: RFC 6761 keeps it away from every name server."""

_AUTHORITY = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_REGISTRY = re.compile(r"([0-9]{12})\.dkr([.-])ecr(?:-fips)?\.([a-z0-9-]+)\.([a-z0-9.-]+)")
_LAYERS = re.compile(r"prod-([a-z0-9-]+)-starport-layer-bucket\.s3\..+")
_API = re.compile(r"(api\.)?ecr(?:-fips)?\.([a-z0-9-]+)\.([a-z0-9.-]+)")


@dataclass(frozen=True)
class Authority:
    """A host and its port, as a URL or a Host header says them."""

    name: str
    """In lower case; an IPv6 address is without brackets."""
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """None for what is no authority, and for one that names a user."""
        match = _AUTHORITY.fullmatch(text)
        if match is None:
            return None
        port = int(match[2]) if match[2] else None
        return cls(match[1].strip("[]").lower(), port) if (port or 0) < 1 << 16 else None

    def __str__(self) -> str:
        name = bracketed(self.name)
        return name if self.port is None else f"{name}:{self.port}"


def bracketed(name: str) -> str:
    """A name or address as it is written in a URL."""
    return f"[{name}]" if ":" in name else name


def registry_of(name: str) -> Registry | None:
    """The registry that a host name means, at AWS or on this machine; None when it is no registry's."""
    match = _REGISTRY.fullmatch(name)
    if match is None:
        return None
    account, separator, region, suffix = match.groups()
    try:
        registry = Registry.parse(account, region)
    except InvalidNameError:
        return None
    partition = partition_of(region)
    suffixes = {partition.suffix, LOCALHOST} if separator == "." else {f"on.{partition.dual_stack}"}
    return registry if suffix in suffixes else None


def api_region_of(name: str) -> str | None:
    """The region whose API a host name means; None when it is none of ECR's."""
    match = _API.fullmatch(name)
    if match is None:
        return None
    prefix, region, suffix = match.groups()
    if not is_region(region):
        return None
    partition = partition_of(region)
    suffixes = {f"api.{partition.dual_stack}"} | ({partition.suffix, LOCALHOST} if prefix else set())
    return region if suffix in suffixes else None


def layer_bucket(region: str) -> str:
    """The host of the bucket that ECR keeps a region's layers in: user guide, "Amazon ECR interface VPC endpoints"."""
    return f"prod-{region}-starport-layer-bucket.s3.{region}.{partition_of(region).suffix}"


def is_layer_bucket(name: str) -> bool:
    """Whether a host name is that of ECR's layers in any region."""
    match = _LAYERS.fullmatch(name)
    return match is not None and is_region(match[1]) and name == layer_bucket(match[1])


def is_ecr(name: str) -> bool:
    """Whether a host name is one of ECR's: of a registry or of its API."""
    return registry_of(name) is not None or api_region_of(name) is not None


def is_aws_name(authority: str) -> bool:
    """Whether a Host header says a name that ECR has at AWS, which leads here by a proxy only."""
    parsed = Authority.parse(authority)
    return parsed is not None and is_ecr(parsed.name) and not parsed.name.endswith(f".{LOCALHOST}")


def names_in(region: str) -> list[str]:
    """Every name of ECR in a region, for a certificate: of all accounts, as wildcards."""
    partition = partition_of(region)
    registries = [f"*.dkr.ecr{fips}.{region}.{partition.suffix}" for fips in ("", "-fips")]
    registries += [f"*.dkr-ecr{fips}.{region}.on.{partition.dual_stack}" for fips in ("", "-fips")]
    apis = [f"api.ecr{fips}.{region}.{partition.suffix}" for fips in ("", "-fips")]
    apis += [f"{api}ecr{fips}.{region}.api.{partition.dual_stack}" for api in ("", "api.") for fips in ("", "-fips")]
    return [
        f"*.dkr.ecr.{region}.{LOCALHOST}",
        f"api.ecr.{region}.{LOCALHOST}",
        layer_bucket(region),
        *registries,
        *apis,
    ]
