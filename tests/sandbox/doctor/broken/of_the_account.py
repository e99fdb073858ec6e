"""The rulebook, scans, quotas, the trail and published logins that are not as the stack needs them."""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

from ecr_steward.domain.credentials import version_stamp
from ecr_steward.domain.names import RegistryRef
from ecr_steward_sandbox.trail import NAME
from tests.sandbox.doctor.broken.breakage import Break, Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, SECRET, House, put_scanning


@contextlib.contextmanager
def rulebook_of_another_format(house: House) -> Iterator[None]:
    """As a newer build would write it, in the content that Lambda lends."""
    name, version = house.named(_layer(house)).split(":")[-2:]
    house.sandbox.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(version))
    s3, bucket, key = house.client("s3"), f"lambda-layers-{HUB}-{REGION}", f"{name}:{version}"
    before = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=_zip_of('{"format": 99}'))
    yield
    s3.put_object(Bucket=bucket, Key=key, Body=before)


def _layer(house: House) -> str:
    layers = house.sandbox.deployment.of_type("AWS::Lambda::LayerVersion")
    return next(one.logical_id for one in layers if one.logical_id.startswith("RulebookLayer"))


def _zip_of(text: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("rulebook.json", text)
    return content.getvalue()


@contextlib.contextmanager
def basic_scans(house: House) -> Iterator[None]:
    put_scanning(house, "BASIC")
    yield
    put_scanning(house, "ENHANCED")


@contextlib.contextmanager
def inspector_disabled(house: House) -> Iterator[None]:
    inspector = house.client("inspector2")
    inspector.disable(accountIds=[HUB], resourceTypes=["ECR"])
    yield
    inspector.enable(accountIds=[HUB], resourceTypes=["ECR"])


def quota(name: str, value: float) -> Break:
    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        quotas = house.sandbox.quotas
        before = getattr(quotas, name)
        setattr(quotas, name, value)
        yield
        setattr(quotas, name, before)

    return broken


@contextlib.contextmanager
def trail_stopped(house: House) -> Iterator[None]:
    house.sandbox.client("cloudtrail").stop_logging(Name=NAME)
    yield
    house.client("cloudtrail").start_logging(Name=NAME)


def secret_with(change: Callable[[Any], Any], role: str = "pull-only") -> Break:
    """Another version of the published login."""

    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        client, own = house.client("secretsmanager"), [RegistryRef(HUB, REGION)]
        before = client.get_secret_value(SecretId=SECRET)["SecretString"]
        text = json.dumps(change(json.loads(before)))
        token = f"{version_stamp(role, own)}{uuid4().hex}"
        client.put_secret_value(SecretId=SECRET, SecretString=text, ClientRequestToken=token)
        yield
        token = f"{version_stamp('pull-only', own)}{uuid4().hex}"
        client.put_secret_value(SecretId=SECRET, SecretString=before, ClientRequestToken=token)

    return broken


def _refused(config: Any) -> Any:
    return {"auths": {host: {"auth": "QVdTOm5vdCBhIHRva2Vu"} for host in config["auths"]}}


NEED_RULES = frozenset({"scanning-mode", "trail-logging", "login-published"})
BREAKAGES = [
    Breakage("rulebook-valid", "rulebook", rulebook_of_another_format, round=3, hides=NEED_RULES),
    Breakage("scanning-mode", "scans", basic_scans, round=2),
    Breakage("inspector-enabled", "inspector2", inspector_disabled),
    Breakage("quota-repositories", "registry", quota("repositories", 0.0)),
    Breakage("quota-concurrency", "lambda", quota("concurrent_executions", 10)),
    Breakage("trail-logging", "cloudtrail", trail_stopped),
    Breakage("login-accepted", SECRET, secret_with(_refused)),
    Breakage("login-published", SECRET, secret_with(lambda config: config, role="another"), round=2),
]
