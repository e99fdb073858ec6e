"""Act 8: an image leaves when every platform has passed its scan, and a forged verdict moves nothing."""

import json

from botocore.exceptions import ClientError

from ecr_steward_sandbox.demo.acts.replication import check_replica
from ecr_steward_sandbox.demo.stage import AWAY, Stage
from ecr_steward_sandbox.function_logs import job_name

TITLE = "An image waits for its scan"
ABOUT = (
    "The rule `payments` copies only what has passed its scan. ECR scans what an index points to, never the index: "
    "evaluate_image_scan gives the index one verdict, that of its worst part."
)
REPOSITORY = "payments/api"

_BUS = "ecr-steward"


def play(stage: Stage) -> None:
    """Push an image, forge a verdict, then let its scans end well, one after the other."""
    stage.narrator.did(f"create the repository {REPOSITORY}")
    stage.home.ecr.create_repository(repositoryName=REPOSITORY)
    stage.settle()
    stage.close()

    pushed = stage.push("1.0.0", REPOSITORY, "1.0.0")
    stage.settle()
    stage.tell("replicate_image")
    stage.check(f"{AWAY} has no {REPOSITORY}", not stage.away.has_repository(REPOSITORY))
    stage.close()

    digest = str(pushed.index.digest)
    check_forged_verdict(stage, REPOSITORY, digest, "nothing has been scanned yet")
    stage.close()

    unrated = "CVE-2026-10002"
    findings = [
        {"name": "CVE-2026-10001", "severity": "MEDIUM", "attributes": _package("zlib", "1.3.1")},
        {"name": unrated, "attributes": _package("expat", "2.7.0")},
    ]
    first, *others = pushed.platforms
    if others:
        stage.record_scans("the basic scan of one platform ends", REPOSITORY, "BASIC", {first: findings[:1]})
        stage.settle()
        stage.tell("evaluate_image_scan")
        stage.check_equal("no verdict is told while a scan is missing", stage.verdicts(REPOSITORY, digest), [])
        stage.close()
    what = "the basic scan of the others ends" if others else "the basic scan ends"
    stage.record_scans(what, REPOSITORY, "BASIC", dict.fromkeys(others or [first], findings))
    stage.settle()
    stage.tell("evaluate_image_scan", "replicate_image")
    told = stage.check_verdict("the first verdict on the index: fail", REPOSITORY, digest, "fail")
    stage.check(f"it names {unrated}, which has no severity", any(unrated in each for each in told.reasons), told)
    stage.check(f"{AWAY} still has no {REPOSITORY}", not stage.away.has_repository(REPOSITORY))
    stage.close()

    rated = [findings[0], {**findings[1], "severity": "LOW"}]
    scans = dict.fromkeys(pushed.platforms, rated)
    stage.record_scans("the finding is rated LOW, and all platforms are scanned again", REPOSITORY, "BASIC", scans)
    stage.settle()
    stage.tell("evaluate_image_scan", "replicate_image")
    stage.check_verdict("the next verdict on the index: pass", REPOSITORY, digest, "pass")
    check_replica(stage, stage.away, REPOSITORY, [pushed])


def check_forged_verdict(stage: Stage, repository: str, digest: str, truth: str) -> None:
    """Say pass on the bus, as a user who may put events there, and check that the bus refuses and nothing is copied."""
    stage.narrator.did("put an Image Verdict on the bus by hand that says pass", truth)
    asked = len(stage.sandbox.invocations)
    refusal = _forge_a_verdict(stage, repository, digest)
    stage.settle()
    stage.check_equal("the bus takes verdicts from the functions alone", refusal, "AccessDeniedException")
    jobs = [job_name(each.function) for each in stage.sandbox.invocations[asked:]]
    stage.check_equal("no function was asked", jobs, [])
    stage.check(f"{AWAY} still has no {repository}", not stage.away.has_repository(repository))


def _forge_a_verdict(stage: Stage, repository: str, digest: str) -> str | None:
    """The code of the bus's refusal; None where it takes the event."""
    detail = {
        "version": "1",
        "account": stage.sandbox.account,
        "region": stage.home.region,
        "repository-name": repository,
        "image-digest": digest,
        "rule": "payments",
        "verdict": "pass",
        "reasons": [],
        "waived": [],
    }
    entry = {
        "EventBusName": _BUS,
        "Source": "ecr.steward",
        "DetailType": "Image Verdict",
        "Detail": json.dumps(detail),
    }
    try:
        stage.aws("events").put_events(Entries=[entry])
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return None


def _package(name: str, version: str) -> list[dict[str, str]]:
    return [{"key": "package_name", "value": name}, {"key": "package_version", "value": version}]
