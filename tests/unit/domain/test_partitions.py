"""Regions, partitions and hosts of every partition of AWS, as botocore's own data has them."""

import itertools
from collections.abc import Iterator

import pytest
from botocore.loaders import create_loader

from ecr_steward.domain.names import RegistryRef, partition_of, registry_at

ACCOUNT = "111122223333"
PARTITIONS = create_loader().load_data("partitions")["partitions"]
DUAL_STACK_ENDINGS = {
    "aws": "on.aws",
    "aws-cn": "on.amazonwebservices.com.cn",
    "aws-us-gov": "on.aws",
    "aws-iso": "on.aws.ic.gov",
    "aws-iso-b": "on.aws.scloud",
    "aws-iso-e": "on.cloud-aws.adc-e.uk",
    "aws-iso-f": "on.aws.hci.ic.gov",
    "aws-eusc": "on.amazonwebservices.eu",
}
"""Registries' hosts for IPv4 and IPv6 (ECR user guide, "Getting started with making requests over IPv6"; the endings of
the other partitions follow botocore's `dualStackDnsSuffix`)."""


def regions() -> Iterator[tuple[str, str, str]]:
    """Each region with its partition and the ending of its hosts."""
    for partition in PARTITIONS:
        for region in partition["regions"]:
            if not region.startswith("aws-"):  # what stands for the whole partition
                yield region, partition["id"], partition["outputs"]["dnsSuffix"]


def test_all_partitions_are_known() -> None:
    assert {partition for _, partition, _ in regions()} == DUAL_STACK_ENDINGS.keys()


@pytest.mark.parametrize(("region", "partition", "ending"), list(regions()))
def test_a_registry_of_each_region_is_known_by_each_of_its_hosts(region: str, partition: str, ending: str) -> None:
    registry = RegistryRef(ACCOUNT, region)
    hosts = [
        f"{ACCOUNT}.dkr.ecr.{region}.{ending}",
        f"{ACCOUNT}.dkr.ecr-fips.{region}.{ending}",
        f"{ACCOUNT}.dkr-ecr.{region}.{DUAL_STACK_ENDINGS[partition]}",
        f"{ACCOUNT}.dkr-ecr-fips.{region}.{DUAL_STACK_ENDINGS[partition]}",
    ]

    assert partition_of(region) == partition
    assert [registry_at(host) for host in hosts] == [registry] * 4


def test_a_host_of_another_ending_is_no_registry_of_ecr() -> None:
    for region, ending in itertools.product(
        ["us-east-1", "cn-north-1"], ["amazonaws.co", "example.com", "on.aws.example"]
    ):
        assert registry_at(f"{ACCOUNT}.dkr.ecr.{region}.{ending}") is None
