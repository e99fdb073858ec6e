"""AWS's partitions: which regions are whose, and what host names end in there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Partition:
    id: str
    region_prefix: str
    suffix: str
    """Of IPv4 names."""
    dual_stack: str
    """Of names with IPv6, behind `api.` for an API and behind `on.` for a registry."""


_COMMERCIAL = Partition("aws", "", "amazonaws.com", "aws")

# regionRegex, dnsSuffix and dualStackDnsSuffix of botocore's partitions.json
_OTHERS = (
    Partition("aws-cn", "cn-", "amazonaws.com.cn", "amazonwebservices.com.cn"),
    Partition("aws-us-gov", "us-gov-", "amazonaws.com", "aws"),
    Partition("aws-eusc", "eusc-", "amazonaws.eu", "amazonwebservices.eu"),
    Partition("aws-iso", "us-iso-", "c2s.ic.gov", "aws.ic.gov"),
    Partition("aws-iso-b", "us-isob-", "sc2s.sgov.gov", "aws.scloud"),
    Partition("aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "cloud-aws.adc-e.uk"),
    Partition("aws-iso-f", "us-isof-", "csp.hci.ic.gov", "aws.hci.ic.gov"),
)


def partition_of(region: str) -> Partition:
    """The partition of a region, by its name alone: also of one that there is not yet."""
    return next((one for one in _OTHERS if region.startswith(one.region_prefix)), _COMMERCIAL)
