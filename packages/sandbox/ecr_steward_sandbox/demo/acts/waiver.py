"""Act 9: a HIGH finding keeps an image at home; a waiver lets it go for a time, and its end is noticed."""

from datetime import timedelta
from typing import Any

from ecr_steward_sandbox.demo.acts.replication import check_replica
from ecr_steward_sandbox.demo.acts.scans import check_forged_verdict
from ecr_steward_sandbox.demo.stage import AWAY, Stage

TITLE = "A finding fails, is waived, and fails again when the waiver has expired"
ABOUT = (
    "The registry has enhanced scanning now. The rule fails on HIGH and above. Waivers stand in the rulebook, with a "
    "reason and a last day; the sweep finds out what a new rulebook or a new day changes."
)
REPOSITORY = "payments/web"

_FINDING = "CVE-2026-20077"
_DAYS = 7


def play(stage: Stage) -> None:
    """Let a scan end badly, waive the finding, and let the waiver expire."""
    stage.narrator.did(f"create the repository {REPOSITORY}")
    stage.home.ecr.create_repository(repositoryName=REPOSITORY)
    stage.settle()
    pushed = stage.push("1.0.0", REPOSITORY, "1.0.0")
    stage.settle()
    stage.close()
    *clean, last = pushed.platforms
    found = {**{platform: [] for platform in clean}, last: [_finding()]}
    stage.record_scans("the enhanced scan of every platform ends", REPOSITORY, "ENHANCED", found)
    stage.settle()
    stage.tell("evaluate_image_scan", "replicate_image")
    digest = str(pushed.index.digest)
    told = stage.check_verdict("the verdict on the index is fail", REPOSITORY, digest, "fail")
    stage.check("and says why", len(told.reasons) == 1 and f"{_FINDING} (HIGH)" in told.reasons[0], told)
    stage.check(f"{AWAY} has no {REPOSITORY}", not stage.away.has_repository(REPOSITORY))
    stage.close()
    check_forged_verdict(stage, REPOSITORY, digest, "it failed")
    stage.close()

    until = (stage.sandbox.clock.now + timedelta(days=_DAYS)).date()
    waiver = {
        "finding": _FINDING,
        "repositories": ["payments/**"],
        "until": str(until),
        "reason": "the service never parses foreign XML",
        "owner": "team-payments",
    }
    stage.deploy_rulebook("waive the finding for a week", {"waivers": [waiver]}, lambda book: _waive(book, waiver))
    stage.sweep()
    stage.tell("reconcile_registry", "replicate_image")
    stage.check_verdict("the verdict is pass", REPOSITORY, digest, "pass")
    check_replica(stage, stage.away, REPOSITORY, [pushed])
    stage.close()

    stage.move_clock(timedelta(days=_DAYS + 1), "the waiver's last day is over")
    stage.tell("reconcile_registry")
    told = stage.check_verdict("the sweep's verdict is fail again", REPOSITORY, digest, "fail")
    expired = f"expired, its last day was {until}"
    stage.check("and says that the waiver has expired", expired in "; ".join(told.reasons), told)


def _waive(rulebook: dict[str, Any], waiver: dict[str, Any]) -> None:
    rulebook.setdefault("waivers", []).append(waiver)


def _finding() -> dict[str, Any]:
    """As Inspector shows it through ECR (EnhancedImageScanFinding in the DescribeImageScanFindings API reference)."""
    return {
        "severity": "HIGH",
        "status": "ACTIVE",
        "title": f"{_FINDING} - libxml2",
        "type": "PACKAGE_VULNERABILITY",
        "packageVulnerabilityDetails": {
            "vulnerabilityId": _FINDING,
            "vulnerablePackages": [{"name": "libxml2", "version": "2.13.5"}],
        },
    }
