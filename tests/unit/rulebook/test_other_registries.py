"""Destinations that are not ECR, as the rulebook writes them."""

import json
from importlib.resources import files

import pytest

from ecr_steward.domain.names import OtherRepository, RegistryRef, host_of, registry_at
from ecr_steward.domain.rules import Destination, OtherDestination
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.bounds import Bounds
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.validate import validate
from tests.given.rules import API

GHCR = {"registry": "ghcr.io", "repository": "acme/{name}", "login": "ecr-steward/ghcr"}


def copying_to(with_rule, *destinations, **entry):
    return with_rule(replicate=[{"to": list(destinations), **entry}])


def compiled(data):
    rulebook, problems = validate(data)
    assert rulebook is not None, problems
    return compile_rulebook(rulebook)


def codes_of(data):
    return {problem.code.value for problem in validate(data)[1]}


def test_destinations_in_ecr_and_elsewhere_stand_side_by_side(with_rule):
    (entry,) = compiled(copying_to(with_rule, {"region": "eu-west-1"}, GHCR)).rules[0].replicate

    assert entry.to == (Destination("eu-west-1"),)
    assert entry.elsewhere == (OtherDestination("ghcr.io", "acme/{name}", "ecr-steward/ghcr"),)
    assert entry.elsewhere[0].of(API) == OtherRepository("ghcr.io", f"acme/{API.name}", "ecr-steward/ghcr")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("docker.io", "registry-1.docker.io"),
        ("index.docker.io", "registry-1.docker.io"),
        ("GHCR.io", "ghcr.io"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("ghcr.io:443", "ghcr.io"),
        ("localhost", "localhost"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("[::1]:5000", "[::1]:5000"),
    ],
)
def test_a_host_is_the_address_that_is_spoken_to(with_rule, written, meant):
    (entry,) = compiled(copying_to(with_rule, {"registry": written})).rules[0].replicate

    assert [destination.host for destination in entry.elsewhere] == [meant]


@pytest.mark.parametrize(
    "written",
    [
        "https://ghcr.io",
        "ghcr.io/acme",
        "user@ghcr.io",
        "ghcr",
        "ghcr.io:port",
        "-ghcr.io",
        "ghcr.io ",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com",
        "111122223333.dkr-ecr.eu-west-1.on.aws",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com:443",
    ],
)
def test_what_is_no_host_beside_ecr_is_refused(with_rule, written):
    assert codes_of(copying_to(with_rule, {"registry": written})) == {"ES254"}


def test_ecrs_own_address_is_told_in_account_and_region(with_rule):
    (problem,) = validate(copying_to(with_rule, {"registry": "111122223333.dkr.ecr.eu-west-1.amazonaws.com"}))[1]

    assert '`account: "111122223333"` and `region: eu-west-1`' in str(problem)


def test_an_address_of_ecr_is_known_in_every_partition():
    """tools 6.12 and core 6.16: of three parsers each knew other endings."""
    partitions = json.loads((files("botocore") / "data" / "partitions.json").read_bytes())["partitions"]

    for partition in partitions:
        region = next(name for name in sorted(partition["regions"]) if not name.endswith("-global"))
        registry = RegistryRef("111122223333", region)
        outputs = partition["outputs"]
        dual_stack = outputs["dualStackDnsSuffix"].removeprefix("api.")
        for fips in ("", "-fips"):
            assert registry_at(f"111122223333.dkr.ecr{fips}.{region}.{outputs['dnsSuffix']}") == registry
            assert registry_at(f"111122223333.dkr-ecr{fips}.{region}.on.{dual_stack}") == registry


@pytest.mark.parametrize(
    "host",
    ["111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example", "x111122223333.dkr.ecr.eu-west-1.amazonaws.com"],
)
def test_a_host_that_only_looks_like_ecr_is_another_registry(host):
    assert registry_at(host) is None
    assert host_of(host) == host


@pytest.mark.parametrize(
    ("destination", "code"),
    [
        ({"registry": "ghcr.io", "region": "eu-west-1"}, "ES510"),
        ({"registry": "ghcr.io", "account": "222233334444"}, "ES510"),
        ({"region": "eu-west-1", "login": "ecr-steward/ghcr"}, "ES510"),
    ],
)
def test_a_destination_is_in_ecr_or_elsewhere(with_rule, destination, code):
    assert codes_of(copying_to(with_rule, destination)) == {code}


@pytest.mark.parametrize("key", [{"remove": {"after": "7d"}}, {"withdraw": "on_fail"}])
def test_nothing_is_taken_away_elsewhere(with_rule, key):
    data = copying_to(with_rule, {"region": "eu-west-1"}, {"registry": "ghcr.io"}, **key)

    assert "ES511" in codes_of(data)


def test_a_copy_elsewhere_under_the_same_name_leads_nowhere_back(with_rule):
    assert codes_of(copying_to(with_rule, {"registry": "ghcr.io"}, {"registry": "quay.io"})) == set()


@pytest.mark.parametrize("name", ["Acme/Api", "", "a" * 256])
def test_a_name_that_no_registry_takes_is_refused(name):
    with pytest.raises(InvalidNameError, match="not a repository name"):
        OtherRepository("ghcr.io", name)


def test_a_name_may_have_255_characters():
    assert OtherRepository("ghcr.io", "a" * 255).name == "a" * 255


@pytest.mark.parametrize(
    ("bounds", "codes"),
    [
        (Bounds(other_registries=frozenset({"ghcr.io"}), secret_prefix="ecr-steward/"), []),
        (Bounds(), []),
        (Bounds(other_registries=frozenset({"quay.io"})), ["ES607"]),
        (Bounds(other_registries=frozenset()), ["ES607"]),
        (Bounds(secret_prefix="ecr-steward/prod/"), ["ES601"]),
    ],
)
def test_a_deployment_bounds_where_images_go_and_whose_logins_are_read(with_rule, bounds, codes):
    rulebook, _ = validate(copying_to(with_rule, GHCR))

    assert [problem.code.value for problem in bounds.outside(rulebook)] == codes
