"""What cases can give and expect, and why they fail."""

import pytest

UNRATED = {"findings": [{"name": "CVE-2026-50001", "severity": "UNTRIAGED"}]}
SUPPRESSED = {"findings": [{"name": "CVE-2026-50001", "severity": "HIGH", "suppressed": True}]}
SCANNED = {"findings": [{"name": "CVE-2026-50001", "severity": "HIGH"}]}


@pytest.mark.parametrize(
    ("given", "expect"),
    [
        ({"images": [{"tags": ["1.0.0"]}]}, {"rule": "services", "steps": [], "violations": [], "mode": "enforce"}),
        ({"images": [{"tags": ["1.0.0"]}]}, {"verdict": "wait", "nothing": True}),
        (
            {"images": [{"tags": ["1.0.0", "latest"]}]},
            {
                "steps": [{"step": "remove_image_tag", "image_tag": "latest", "rule": "services", "because": "denied"}],
                "violations": ["latest"],
            },
        ),
        ({"images": [{"tags": ["1.0.0"], "scan": SCANNED}]}, {"verdict": "fail", "copies": []}),
        (
            {"images": [{"tags": ["1.0.0"], "scan": {}}]},
            {"verdict": "pass", "copies": ["111122223333/eu-west-1/team-a/api"]},
        ),
        ({"images": [{"tags": ["1.0.0"], "scan": {"status": "expired"}}]}, {"verdict": "wait"}),
        ({"images": [{"tags": ["1.0.0"], "scan": {"status": "limit_exceeded"}}]}, {"verdict": "fail"}),
        ({"images": [{"tags": ["1.0.0"], "scan": UNRATED}]}, {"verdict": "fail"}),
        ({"images": [{"tags": ["1.0.0"], "scan": SUPPRESSED}]}, {"verdict": "fail", "copies": []}),
        ({"settings": {"scanning": "manual"}}, {"steps": [{"step": "put_scan_on_push", "says": "on"}]}),
        ({"settings": {"scanning": "on_push"}}, {"nothing": True, "verdict": "pass"}),
        ({"resource_tags": {"tier": "prod"}}, {"rules": ["services", "everything"], "rule": "services"}),
        ({"repository": "other"}, {"rule": "none", "rules": [], "verdict": "none"}),
        (
            {"repository": "other", "resource_tags": {"tier": "prod"}, "settings": {}},
            {"mode": "observe", "includes": [{"step": "put_tag_mutability", "says": "except *-latest"}]},
        ),
        (
            {"settings": {"scanning": "on_push", "mutability": {"immutable": True, "except": ["*-latest"]}}}
            | {"resource_tags": {"tier": "prod"}},
            {"nothing": True},
        ),
    ],
)
def test_a_case_passes_when_the_plan_is_what_it_expects(failures_of, given, expect):
    assert failures_of(expect, **given) == []


def test_a_waiver_holds_on_the_day_that_the_case_says(failures_of):
    scan = {"findings": [{"name": "CVE-2026-50002", "severity": "HIGH"}]}
    images = [{"tags": ["1.0.0"], "scan": scan}]

    assert failures_of({"verdict": "pass"}, images=images, today="2026-11-26") == []
    assert failures_of({"verdict": "fail"}, images=images, today="2026-11-27") == []


@pytest.mark.parametrize(
    ("given", "expect", "told"),
    [
        ({}, {"rule": "payments"}, "expected the rule `payments`, but `services` is the first that covers"),
        ({"repository": "other"}, {"rule": "services"}, "but no rule covers 111122223333/us-east-1/other"),
        (
            {"repository": "other"},
            {"nothing": True},
            "no rule covers 111122223333/us-east-1/other: say `rule: none` where this is meant",
        ),
        ({}, {"rules": ["a", "b"]}, "expected the rules a, b, but services cover"),
        ({}, {"mode": "observe"}, "expected the mode observe, but it is enforce"),
        ({}, {"nothing": False}, "expected something to do, but there is nothing"),
        ({"settings": {}}, {"nothing": True}, "expected nothing, but there is:\n  - switch scan on push of"),
        ({"settings": {}}, {"steps": []}, "planned, but not expected:\n  - switch scan on push of"),
        (
            {"settings": {}},
            {"includes": [{"step": "put_scan_on_push", "because": "moon"}]},
            "expected, but not planned: step: put_scan_on_push, because: moon; planned is:\n  - switch scan on push",
        ),
        ({}, {"violations": ["latest"]}, "expected, but not found: the violation latest; found is: nothing"),
        (
            {"images": [{"tags": ["1.0.0", "latest"]}]},
            {"violations": []},
            "a violation that is not expected:\n  - image tag 'latest' is denied by 'latest'",
        ),
        ({}, {"copies": ["x"]}, "expected copies to x, but they go to none"),
        (
            {"images": [{"tags": ["1.0.0"], "scan": SCANNED}]},
            {"verdict": "pass"},
            "expected the verdict pass, but it is fail:\n  - CVE-2026-50001 (HIGH)",
        ),
        ({"images": [{"tags": ["not a tag"]}]}, {"nothing": True}, "'not a tag' is not an image tag"),
        ({"repository": "Team"}, {"nothing": True}, "'Team' is not a repository name"),
    ],
)
def test_the_reason_is_shown_when_a_case_fails(failures_of, given, expect, told):
    reasons = failures_of(expect, **given)

    assert len(reasons) == 1
    assert told in reasons[0]


def test_what_the_images_say_of_themselves_and_who_refers_to_them_counts(folder, failures_of):
    source = "org.opencontainers.image.source"
    rule = (
        "version: 1\nrules:\n  - name: services\n    match: {repositories: ['**']}\n    image_tags:\n"
        f"      labels: {{required: [{source}]}}\n"
    )
    (folder / "ecr-steward.yaml").write_text(rule, encoding="utf-8")

    assert failures_of({"violations": []}, images=[{"tags": ["a"], "labels": {source: "https://x"}}]) == []
    assert failures_of({"violations": [source]}, images=[{"tags": ["a"]}]) == []


def test_image_tags_expire_and_images_are_kept_by_their_age_and_use(folder, failures_of):
    rule = (
        "version: 1\nrules:\n  - name: previews\n    match: {repositories: ['**']}\n    mode: enforce\n"
        "    image_tags:\n      expire: [{tags: ['pr-*'], after: 14d}]\n"
    )
    (folder / "ecr-steward.yaml").write_text(rule, encoding="utf-8")
    old = {"step": "remove_image_tag", "image_tag": "pr-1"}

    assert failures_of({"steps": [old]}, images=[{"tags": ["pr-1", "main"], "pushed": "15d"}]) == []
    assert failures_of({"nothing": True}, images=[{"tags": ["pr-1", "main"], "pushed": "13d"}]) == []


@pytest.mark.parametrize(
    ("expect", "reasons"),
    [
        ({"copies": ["ghcr.io/acme/team-a/api"], "steps": []}, []),
        ({"copies": []}, ["expected copies to none, but they go to ghcr.io/acme/team-a/api"]),
    ],
)
def test_a_copy_to_another_registry_is_a_copy_and_no_step_of_its_own(folder, failures_of, expect, reasons):
    written = "replicate: [{to: [{registry: ghcr.io, repository: 'acme/{name}'}]}]"
    rules = f"version: 1\nrules:\n  - name: team\n    match: {{repositories: ['team-a/**']}}\n    {written}\n"
    (folder / "ecr-steward.yaml").write_text(rules, encoding="utf-8")

    assert failures_of(expect, images=[{"tags": ["1.0.0"]}]) == reasons
