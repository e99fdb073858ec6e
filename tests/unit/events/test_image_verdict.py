"""*Image Verdict*: what is published is what arrives, it fits its schema, and it never grows without end."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest

from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import ImageVerdict
from ecr_steward.domain.rules import ScanRules
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity, Verdict
from ecr_steward.domain.verdict import assess
from ecr_steward.errors import MalformedEventError
from ecr_steward.events import own
from ecr_steward.events.envelope import parse
from ecr_steward.usecases.assessor import verdict_notice
from tests.given.rules import service_rule

SCHEMA = Path(own.__file__).parent / "schemas" / "image-verdict.json"
IMAGE = ImageRef(RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api"), Digest("sha256:" + "a" * 64))
PASSED = ImageVerdict("services", IMAGE, Verdict.PASS, (), ("CVE-2026-12345 is waived",), ('an ü and "quotes"',))
FAILED = ImageVerdict("services", IMAGE, Verdict.FAIL, ("CVE-2026-12345 (HIGH)", "and 3 more"), ())


@pytest.mark.parametrize("notice", [PASSED, FAILED])
def test_a_verdict_is_received_as_it_was_and_fits_its_schema_when_it_is_published(notice):
    detail_type, text = own.encode_notice(notice)
    detail = json.loads(text)

    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(detail)
    assert detail_type == "Image Verdict"
    assert parse(own.ImageVerdictDetail, detail).to_notice() == notice


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_the_sample_is_a_verdict_as_a_rule_on_the_bus_delivers_it(load_event, verdict):
    event = parse(own.ImageVerdictEvent, load_event(f"image_verdict/{verdict}"))

    assert event.detail.to_notice().verdict == verdict


def test_a_verdict_is_readable_when_its_sender_knew_no_remarks(load_event):
    event = load_event("image_verdict/pass")
    del event["detail"]["remarks"]

    assert parse(own.ImageVerdictEvent, event).detail.to_notice().remarks == ()


@pytest.mark.parametrize("verdict", ["wait", "PASS", ""])
def test_a_verdict_is_refused_when_it_is_neither_a_pass_nor_a_fail(load_event, verdict):
    event = load_event("image_verdict/pass")
    event["detail"]["verdict"] = verdict

    with pytest.raises(MalformedEventError, match=r"detail\.verdict: input should be 'pass' or 'fail'"):
        parse(own.ImageVerdictEvent, event)


def test_an_event_stays_small_whatever_the_scans_found():
    findings = (Finding(f"CVE-2026-{n:05d}" * 100, Severity.HIGH, "package " * 1000) for n in range(500))
    assessment = assess(
        ScanRules(Severity.HIGH), (), date(2026, 11, 24), [Scan(IMAGE.digest, ScanStatus.COMPLETE, tuple(findings))]
    )

    _, detail = own.encode_notice(verdict_notice(service_rule(), IMAGE, assessment))

    assert json.loads(detail)["reasons"][-1] == "and 480 more"
    assert len(detail) < 16_384
