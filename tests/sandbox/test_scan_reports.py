"""Scans reported to the sandbox: kept by ECR, told on the bus, and refused with a reason."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward_sandbox.scan_reports import EXAMPLE

SEES = """
    def lambda_handler(event, context):
        print(event["detail"]["image-digest"])
"""


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """A function that hears of scans, and an image to scan."""
    stack = new_template()
    pattern = {"source": ["aws.ecr", "aws.inspector2"], "detail-type": ["ECR Image Scan", "Inspector2 Scan"]}
    rule = {"Type": "EventBridgeRule", "Properties": {"Pattern": pattern}}
    stack.function("Sees", SEES, Events={"Scanned": rule})
    return start(stack)


@pytest.fixture(scope="module")
def digest(box: Any) -> str:
    """An image without layers."""
    ecr = box.sandbox.client("ecr")
    ecr.create_repository(repositoryName="team/app")
    config = b"{}"
    upload = ecr.initiate_layer_upload(repositoryName="team/app")["uploadId"]
    ecr.upload_layer_part(
        repositoryName="team/app", uploadId=upload, partFirstByte=0, partLastByte=1, layerPartBlob=config
    )
    name = f"sha256:{hashlib.sha256(config).hexdigest()}"
    ecr.complete_layer_upload(repositoryName="team/app", uploadId=upload, layerDigests=[name])
    media_type = "application/vnd.oci.image.manifest.v1+json"
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": name, "size": 2},
        "layers": [],
    }
    image = ecr.put_image(repositoryName="team/app", imageTag="1.0", imageManifest=json.dumps(document))["image"]
    return str(image["imageId"]["imageDigest"])


def report(box: Any, document: Any) -> tuple[int, Any]:
    """POST /_sandbox/scans; status and answer."""
    status, answer = box.http("POST", "/_sandbox/scans", json.dumps(document).encode())
    return int(status), answer


def test_function_hears_of_a_scan_when_it_is_reported(box: Any, digest: str) -> None:
    about = {"repository": "team/app", "digest": digest, "status": "COMPLETE"}
    basic = {**about, "type": "BASIC", "findings": [{"name": "CVE-2026-1", "severity": "HIGH"}]}
    enhanced = {**about, "type": "ENHANCED", "account": "111122223333", "region": "us-east-1"}

    assert report(box, basic) == (202, {"accepted": 1})
    found = box.sandbox.client("ecr").describe_image_scan_findings(
        repositoryName="team/app", imageId={"imageTag": "1.0"}
    )
    assert report(box, [basic, enhanced]) == (202, {"accepted": 2})

    box.sandbox.wait_until_idle()
    assert found["imageScanFindings"]["findingSeverityCounts"] == {"HIGH": 1}
    assert [run.event["detail-type"] for run in box.sandbox.invocations].count("ECR Image Scan") == 2
    assert [run.log for run in box.sandbox.invocations] == [f"{digest}\n"] * 3


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"repository": "no/such"}, 404, "no/such"),
        ({"digest": f"sha256:{'0' * 64}"}, 404, "does not exist"),
        ({"region": "eu-west-1"}, 404, "does not exist"),
        ({"digest": "latest"}, 400, "not a sha256"),
        ({"account": "me"}, 400, "12-digit"),
        ({"region": 1}, 400, "strings"),
        (
            {"status": "DONE"},
            400,
            "'status' failed to satisfy constraint: 'Member must satisfy enum value set: [IN_PROGRESS",
        ),
        ({"type": None}, 400, "[BASIC, ENHANCED]"),
        ({"findings": [{"name": "CVE", "severity": "BAD"}]}, 400, "findings.1.severity"),
        ({"tag": "1.0"}, 400, "no member 'tag'"),
    ],
)
def test_report_is_explained_when_it_is_wrong(
    box: Any, digest: str, changes: dict[str, Any], status: int, error: str
) -> None:
    good = {"repository": "team/app", "digest": digest, "type": "BASIC", "status": "COMPLETE"}

    got, answer = report(box, [good, {**good, **changes}])

    assert (got, error in answer["error"]) == (status, True), answer


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "the body is empty"),
        ("digest=x", "the body is no JSON"),
        ("[" * 20000, "the body is no JSON"),
        ("null", "a scan is an object, and a list holds scans; this is null"),
        ('["scan"]', 'this is "scan"'),
        ("{}", "this one lacks repository, digest, type, status"),
        ('[{"repository": "team/app", "type": "BASIC", "status": "COMPLETE"}]', "this one lacks digest"),
        ('{"repository": "team/app", "digest": "x", "type": "basic", "status": "COMPLETE"}', "not a sha256"),
    ],
)
def test_report_is_explained_beside_an_example_when_it_is_none(box: Any, body: str, error: str) -> None:
    status, answer = box.http("POST", "/_sandbox/scans", body.encode())

    assert (status, error in answer["error"]) == (400, True), answer
    assert answer["example"] == EXAMPLE


def test_example_is_kept_when_it_names_an_image_that_is_there(box: Any, digest: str) -> None:
    assert report(box, {**EXAMPLE, "repository": "team/app", "digest": digest}) == (202, {"accepted": 1})
    box.sandbox.wait_until_idle()
