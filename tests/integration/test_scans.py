"""What scanners say, and leave unsaid, on the deployed template: one clear verdict, and nothing leaves before it."""

from collections.abc import Callable
from typing import Any

import pytest

HIGH = "CVE-2026-30001"

pytestmark = pytest.mark.slow


def let_unscannable_pass(rulebook: dict[str, Any]) -> None:
    """Add a rule that differs from ``payments`` in one word."""
    (payments,) = (rule for rule in rulebook["rules"] if rule["name"] == "payments")
    scan = {**payments["scan"], "unscannable": "pass"}
    rulebook["rules"].append({**payments, "name": "lenient", "match": {"repositories": ["lenient/**"]}, "scan": scan})


@pytest.fixture(scope="module")
def house(open_house: Callable[..., Any]) -> Any:
    house = open_house()
    house.rulebook.deploy(let_unscannable_pass)
    return house


@pytest.fixture(autouse=True)
def nothing_failed(house: Any) -> Any:
    """What a scanner says is never a failure of ours."""
    yield
    assert house.take("EvaluateImageScanDeadLetterQueue") == []
    assert house.take("FailureQueue") == []
    assert house.sandbox.lost == []


def test_image_fails_by_a_finding_without_severity_until_it_has_one(house: Any) -> None:
    """attacks M1."""
    pushed = house.push("payments/no-severity", "1.0.0")

    house.scan_ends(
        "payments/no-severity",
        [child.digest for child in pushed.children],
        {"CVE-2026-30002": None, "CVE-2026-30003": "UNDEFINED"},
    )

    (verdict,) = house.verdicts("payments/no-severity")
    assert verdict["verdict"] == "fail"
    assert [reason.split(" in ")[0] for reason in verdict["reasons"]] == [
        "CVE-2026-30002 (UNDEFINED)",
        "CVE-2026-30003 (UNDEFINED)",
    ]
    assert not house.away.has_repository("payments/no-severity")

    rated = {"CVE-2026-30002": "LOW", "CVE-2026-30003": "MEDIUM"}
    house.scan_ends("payments/no-severity", [child.digest for child in pushed.children], rated)

    assert house.verdicts("payments/no-severity")[-1]["verdict"] == "pass"
    assert "1.0.0" in house.away.tags("payments/no-severity")


def test_image_waits_and_says_for_what_when_a_child_was_never_scanned(house: Any) -> None:
    with house.unheard():  # so nobody has switched scan on push on before the push
        pushed = house.push("payments/never-scanned", "1.0.0")
    scanned, never_scanned = (child.digest for child in pushed.children)

    ran = house.scan_ends("payments/never-scanned", [scanned])
    swept = house.sweep()

    for outcome in (*house.outcomes(ran, "EvaluateImageScan"), house.outcomes(swept, "ReconcileRegistry")[-1]):
        assert outcome["verdict"] == "wait"
        assert outcome["reasons"] == [f"{never_scanned} has never been scanned"]
    assert house.verdicts("payments/never-scanned") == []
    assert not house.away.has_repository("payments/never-scanned")

    house.home.ecr.start_image_scan(
        repositoryName="payments/never-scanned", imageId={"imageDigest": str(never_scanned)}
    )
    house.scan_ends("payments/never-scanned", [never_scanned])

    assert [verdict["verdict"] for verdict in house.verdicts("payments/never-scanned")] == ["pass"]
    assert "1.0.0" in house.away.tags("payments/never-scanned")


def test_image_fails_when_a_child_cannot_be_scanned(house: Any) -> None:
    pushed = house.push("payments/unscannable", "1.0.0")
    scannable, unscannable = (child.digest for child in pushed.children)

    told = house.scan_ends("payments/unscannable", [unscannable], status="UNSUPPORTED_IMAGE", said="No distribution.")
    house.scan_ends("payments/unscannable", [scannable])

    assert told == []  # ECR has no event for it: what it says is read with the next one
    (verdict,) = house.verdicts("payments/unscannable")
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"] == [f"{unscannable} cannot be scanned: UNSUPPORTED_IMAGE: No distribution."]
    assert not house.away.has_repository("payments/unscannable")


def test_image_passes_with_a_remark_when_a_child_cannot_be_scanned_and_the_rule_lets_it_pass(house: Any) -> None:
    pushed = house.push("lenient/unscannable", "1.0.0")
    scannable, unscannable = (child.digest for child in pushed.children)

    house.scan_ends("lenient/unscannable", [unscannable], status="UNSUPPORTED_IMAGE")
    house.scan_ends("lenient/unscannable", [scannable])

    (verdict,) = house.verdicts("lenient/unscannable")
    assert (verdict["verdict"], verdict["reasons"]) == ("pass", [])
    assert verdict["remarks"] == [f"{unscannable} cannot be scanned: UNSUPPORTED_IMAGE; the rule lets it pass"]
    assert "1.0.0" in house.away.tags("lenient/unscannable")


def test_sweep_tells_the_verdict_when_no_child_can_be_scanned_and_so_no_event_comes(house: Any) -> None:
    pushed = house.push("payments/all-unscannable", "1.0.0")
    children = sorted(child.digest for child in pushed.children)

    told = house.scan_ends("payments/all-unscannable", children, status="UNSUPPORTED_IMAGE")
    house.sweep()

    assert told == []
    (verdict,) = house.verdicts("payments/all-unscannable")
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"] == [f"{child} cannot be scanned: UNSUPPORTED_IMAGE" for child in children]
    assert not house.away.has_repository("payments/all-unscannable")


def test_image_fails_with_the_words_of_the_scanner_and_passes_later_when_a_scan_failed(house: Any) -> None:
    pushed = house.push("payments/scan-failed", "1.0.0")
    good, bad = (child.digest for child in pushed.children)
    house.scan_ends("payments/scan-failed", [good])

    house.scan_ends("payments/scan-failed", [bad], status="FAILED", said="The layers could not be unpacked.")

    (verdict,) = house.verdicts("payments/scan-failed")
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"] == [f"the scan of {bad} failed: FAILED: The layers could not be unpacked."]
    assert not house.away.has_repository("payments/scan-failed")

    house.scan_ends("payments/scan-failed", [bad])

    assert house.verdicts("payments/scan-failed")[-1]["verdict"] == "pass"
    assert "1.0.0" in house.away.tags("payments/scan-failed")


def test_image_fails_at_its_push_when_the_scans_of_all_that_it_consists_of_have_ended_before(house: Any) -> None:
    first = house.push("payments/scanned-before", "1.0.0")
    house.scan_ends("payments/scanned-before", [child.digest for child in first.children], {HIGH: "HIGH"})
    before = len(house.sandbox.events)

    second = house.push("payments/scanned-before", "1.0.1")

    heard = {each.event["detail-type"] for each in house.sandbox.events[before:]}
    assert second.children == first.children
    assert not heard & {"ECR Image Scan", "Inspector2 Scan", "Inspector2 Finding"}
    told = [(verdict["image-digest"], verdict["verdict"]) for verdict in house.verdicts("payments/scanned-before")]
    assert told == [(str(first.index.digest), "fail"), (str(second.index.digest), "fail")]
    assert not house.away.has_repository("payments/scanned-before")


@pytest.mark.parametrize(("count", "pages"), [(1000, 1), (1001, 2)])
def test_last_finding_of_the_last_page_counts_when_there_are_many(count: int, pages: int, house: Any) -> None:
    repository = f"payments/findings-{count}"
    pushed = house.push(repository, "1.0.0")
    many, none = (child.digest for child in pushed.children)
    found: dict[str, str | None] = {f"CVE-2026-{number:05}": "MEDIUM" for number in range(count - 1)}
    house.scan_ends(repository, [none])
    mark = house.sandbox.local_ecr.requests.mark()

    house.scan_ends(repository, [many], {**found, HIGH: "HIGH"})

    asked = [each.operation for each in house.sandbox.local_ecr.requests.since(mark)]
    assert asked.count("DescribeImageScanFindings") == pages + 1
    (verdict,) = house.verdicts(repository)
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"] == [f"{HIGH} (HIGH) in zlib 1.3.1 of {many}"]
    assert not house.away.has_repository(repository)


def test_verdict_says_how_many_reasons_it_leaves_out_when_they_would_not_fit_into_an_event(house: Any) -> None:
    pushed = house.push("payments/all-high", "1.0.0")
    found = {f"CVE-2026-{number:05}": "HIGH" for number in range(1500)}

    house.scan_ends("payments/all-high", [child.digest for child in pushed.children], found)

    (verdict,) = house.verdicts("payments/all-high")
    assert len(verdict["reasons"]) == 21
    assert verdict["reasons"][0].startswith("CVE-2026-00000 (HIGH)")
    assert verdict["reasons"][-1] == "and 1480 more"


def test_poison_alone_is_kept_when_it_comes_in_a_batch_with_good_scans(house: Any, load_event: Any) -> None:
    pushed = house.push("payments/beside-the-poison", "1.0.0")
    children = [child.digest for child in pushed.children]
    with house.unheard():
        house.scan_ends("payments/beside-the-poison", children)
    poisons = [load_event("ecr_image_scan/malformed"), load_event("inspector2_finding/malformed")]
    good = [load_event("ecr_image_scan/complete_child") for _ in children]
    for event, child in zip(good, children, strict=True):
        event["detail"] |= {"repository-name": "payments/beside-the-poison", "image-digest": str(child)}

    ran = house.send("EvaluateImageScanQueue", "{not json", good[0], *poisons, good[1])

    (batch,) = [each for each in ran if each.function == "EvaluateImageScanFunction"]
    assert len(batch.event["Records"]) == 5
    kept = house.take("FailureQueue")
    assert [each["event"] for each in kept] == ["{not json", *poisons]
    assert {each["error"] for each in kept} == {"MalformedEventError"}
    assert "detail.scan-status" in kept[1]["message"]
    assert "imageHash" in kept[2]["message"]
    assert [verdict["verdict"] for verdict in house.verdicts("payments/beside-the-poison")] == ["pass"]
    assert "1.0.0" in house.away.tags("payments/beside-the-poison")


@pytest.mark.parametrize("event", ["inspector2_scan/of_an_instance", "inspector2_finding/of_an_instance"])
def test_no_function_hears_of_it_when_inspector_speaks_of_something_else(
    event: str, house: Any, load_event: Any
) -> None:
    assert house.deliver(load_event(event)) == []


@pytest.mark.parametrize(
    ("repository", "remark"),
    [
        ("payments/never-made", "the repository is gone"),
        ("payments/emptied", "the image is gone"),
        ("team-a/unscanned", "its rules do not speak of scans"),
        ("nobody/cares", "no rule covers this repository"),
    ],
)
def test_log_says_why_there_was_nothing_to_do_when_a_scan_ended(
    repository: str, remark: str, house: Any, load_event: Any
) -> None:
    with house.unheard():
        if repository == "payments/emptied":
            house.home.ecr.create_repository(repositoryName=repository)
    event = load_event("ecr_image_scan/complete")
    event["detail"]["repository-name"] = repository

    ran = house.deliver(event)

    (outcome,) = house.outcomes(ran)
    assert outcome["remarks"] == [remark]
    assert house.verdicts(repository) == []


def test_image_is_copied_when_inspector_closes_the_finding_that_failed_it(house: Any) -> None:
    pushed = house.push("payments/enhanced", "1.0.0")
    children = [child.digest for child in pushed.children]
    before = len(house.sandbox.events)

    house.scan_ends("payments/enhanced", children, {HIGH: "HIGH", "CVE-2026-30004": "UNTRIAGED"}, kind="ENHANCED")

    (verdict,) = house.verdicts("payments/enhanced")
    assert verdict["verdict"] == "fail"
    assert verdict["reasons"] == [
        f"{HIGH} (HIGH) in zlib 1.3.1 of {min(children)} and 1 more",
        f"CVE-2026-30004 (UNTRIAGED) in zlib 1.3.1 of {min(children)} and 1 more: it has no known severity",
    ]
    assert not house.away.has_repository("payments/enhanced")

    house.scan_ends("payments/enhanced", children, {"CVE-2026-30004": "LOW"}, kind="ENHANCED")

    heard = [(each.event["detail-type"], each.event["detail"]) for each in house.sandbox.events[before:]]
    arns = {detail["repository-name"] for kind, detail in heard if kind == "Inspector2 Scan"}
    assert arns == {"arn:aws:ecr:us-east-1:111122223333:repository/payments/enhanced"}
    assert (HIGH, "CLOSED") in {
        (detail["packageVulnerabilityDetails"]["vulnerabilityId"], detail["status"])
        for kind, detail in heard
        if kind == "Inspector2 Finding"
    }
    assert house.verdicts("payments/enhanced")[-1]["verdict"] == "pass"
    assert "1.0.0" in house.away.tags("payments/enhanced")
