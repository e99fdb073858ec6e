"""A repository with one image, and somebody who scans it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local_ecr import Registry

SAMPLES = Path(__file__).parents[4] / "events"


@dataclass
class Scanner:
    """Reports about one image of team/app in us-east-1."""

    stand: Any
    digest: str
    registry: Registry = field(default_factory=lambda: Registry("111122223333", "us-east-1"))

    @staticmethod
    def basic(name: str, severity: str = "HIGH") -> dict[str, Any]:
        """A finding of the basic scanner."""
        attributes = [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "3.0.13"}]
        return {"name": name, "severity": severity, "attributes": attributes}

    @staticmethod
    def enhanced(name: str, severity: str = "HIGH", **members: Any) -> dict[str, Any]:
        """A finding of Amazon Inspector."""
        details = {"vulnerabilityId": name, "vulnerablePackages": [{"name": "openssl", "version": "3.0.13"}]}
        return {"title": f"{name} - openssl", "severity": severity, "packageVulnerabilityDetails": details, **members}

    def record(self, scan_type: str, status: str, *findings: dict[str, Any], **members: Any) -> None:
        """Report the end of a scan."""
        document = {"type": scan_type, "status": status, "findings": list(findings), **members}
        self.stand.ecr.record_scan(self.registry, "team/app", self.digest, document)

    def describe(self, **asked: Any) -> Any:
        """DescribeImageScanFindings."""
        wanted = {"repositoryName": "team/app", "imageId": {"imageDigest": self.digest}, **asked}
        return self.stand.client().describe_image_scan_findings(**wanted)

    def told(self) -> list[dict[str, Any]]:
        """The events so far."""
        return [event for _, _, event in self.stand.events]


@pytest.fixture
def scanner(stand: Any, team_app: Any) -> Scanner:
    """The image team/app:1.0 has been pushed, and nothing told of that."""
    digest = team_app.push_image("one", "1.0")
    stand.events.clear()
    return Scanner(stand, digest)


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Any]:
    """One of the project's sample events."""
    return lambda name: json.loads((SAMPLES / f"{name}.json").read_text())
