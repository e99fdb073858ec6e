"""Host names of ECR: each form that there is, and nothing that only looks like one."""

from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config

from local_ecr.hosts import Authority, api_region_of, is_ecr, names_in, registry_of
from local_ecr.names import Registry

ACCOUNT = "111122223333"


@pytest.mark.parametrize(
    ("name", "region"),
    [
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", "us-east-1"),
        (f"{ACCOUNT}.dkr.ecr.us-east-1.localhost", "us-east-1"),
        (f"{ACCOUNT}.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        (f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        (f"{ACCOUNT}.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        (f"{ACCOUNT}.dkr-ecr-fips.us-east-2.on.aws", "us-east-2"),
        (f"{ACCOUNT}.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1"),
        (f"{ACCOUNT}.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        (f"{ACCOUNT}.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
        (f"{ACCOUNT}.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
        (f"{ACCOUNT}.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        (f"{ACCOUNT}.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
    ],
)
def test_a_registry_is_known_when_its_whole_host_name_is_ecrs(name, region):
    assert registry_of(name) == Registry(ACCOUNT, region)


@pytest.mark.parametrize(
    "name",
    [
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.example.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.example.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.xamazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws-com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.evil.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.cn",
        f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.on.aws",
        f"{ACCOUNT}.dkr-ecr.us-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr-ecr.us-east-1.localhost",
        f"x{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com",
        f"{ACCOUNT}0.dkr.ecr.us-east-1.amazonaws.com",
        f"{ACCOUNT}xdkr.ecr.us-east-1.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr..amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.amazonaws.com",
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com\n",
        f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/",
        "public.ecr.aws",
        "localhost",
        "",
    ],
)
def test_no_registry_is_known_when_a_host_name_is_not_wholly_ecrs_CVE_2024_35192(name):
    assert registry_of(name) is None
    assert not is_ecr(name)


@pytest.fixture(scope="module")
def session():
    return botocore.session.get_session()


class SentError(Exception):
    """A request would be sent now."""


def host_by_botocore(session, region, **config):
    """The host that a client of a region sends its calls to, when nobody says where."""

    def stop(request, **_):
        raise SentError(request.url)

    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = session.create_client("ecr", region_name=region, config=Config(**config), **keys)
    client.meta.events.register("before-send", stop)
    with pytest.raises(SentError) as sent:
        client.describe_registry()
    return urlsplit(str(sent.value)).hostname


@pytest.mark.parametrize("region", ["us-east-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1"])
@pytest.mark.parametrize("dual_stack", [False, True], ids=["IPv4", "dual stack"])
def test_an_api_is_known_by_the_host_name_that_botocore_gives_it(session, region, dual_stack):
    for fips in (False, True):
        host = host_by_botocore(session, region, use_dualstack_endpoint=dual_stack, use_fips_endpoint=fips)
        assert api_region_of(host) == region
        assert host in names_in(region)


@pytest.mark.parametrize(
    "name",
    [
        "ecr.us-east-1.localhost",
        "ecr.us-east-1.amazonaws.com",
        "ecr.us-east-1.api.aws.evil.com",
        "ecr.x.api.aws",
    ],
)
def test_no_api_is_known_when_a_host_name_is_none_of_an_api(name):
    assert api_region_of(name) is None


def test_an_api_and_a_registry_of_this_machine_are_known():
    assert api_region_of("api.ecr.eu-west-1.localhost") == "eu-west-1"
    assert "*.dkr.ecr.eu-west-1.localhost" in names_in("eu-west-1")


@pytest.mark.parametrize(
    ("text", "authority"),
    [
        ("Registry.Example:5000", Authority("registry.example", 5000)),
        ("registry", Authority("registry")),
        ("[::1]:80", Authority("::1", 80)),
        ("[::1]", Authority("::1")),
    ],
)
def test_a_host_and_its_port_are_told_apart(text, authority):
    assert Authority.parse(text) == authority
    assert str(authority) == text.lower()


@pytest.mark.parametrize("text", ["", "a b", "user@host", "host:", "host:70000", "::1", "host:80:80", "a/b", "a\r\nb"])
def test_nothing_is_told_of_what_is_no_host(text):
    assert Authority.parse(text) is None
