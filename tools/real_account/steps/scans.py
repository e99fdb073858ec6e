"""Step 8: what DescribeImageScanFindings says in enhanced mode after a scan, and once eligibility is over."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import ClientError

from real_account.beliefs import Belief, Observation
from real_account.content import push_image
from real_account.run import Run
from real_account.step import NotLookedAtError, Step

_OS: Final = b'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nNAME="Debian GNU/Linux"\nVERSION_ID="11"\nID=debian\n'
_PACKAGES: Final = (
    b"Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.1.1k-1\n"
    b"Description: an old one\nMaintainer: none\n\n"
)
ENHANCED: Final = Belief(
    "scan-on-push-enhanced",
    "an image under SCAN_ON_PUSH in enhanced mode is ACTIVE or COMPLETE after its scan",
    "ScanStatus of the API model",
    "ended",
)
EXPIRED: Final = Belief(
    "scan-expired",
    "an image whose re-scan duration is over has the status SCAN_ELIGIBILITY_EXPIRED",
    "Inspector user guide, Configuring the ECR re-scan duration; ScanStatus of the API model",
    "SCAN_ELIGIBILITY_EXPIRED",
)
DURATION: Final = timedelta(days=14)
NO_SCANS: Final = "it scans no image by itself"


def old_system() -> bytes:
    """A layer that a scanner takes for a Debian with an old package."""
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w") as archive:
        for name, content in (("etc/os-release", _OS), ("var/lib/dpkg/status", _PACKAGES)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return held.getvalue()


def _do(run: Run) -> Iterator[Observation]:
    before = run.client("ecr").get_registry_scanning_configuration()["scanningConfiguration"]
    if before["scanType"] != "ENHANCED":
        raise NotLookedAtError("this registry's scanning is basic; the step changes no account's Inspector for minutes")
    repository = run.repository("scans")
    push_image(run, repository, "scans", "v1", layer=old_system())
    run.journal.note("scans-at", run.pace.now().isoformat())
    status = run.pace.until(lambda: _ended(_status(run, repository)), 600, 15)
    yield Observation(ENHANCED, "ended" if status in ("ACTIVE", "COMPLETE") else _status(run, repository), status)


def _ended(status: str) -> str:
    return "" if status in ("PENDING", "IN_PROGRESS", "ScanNotFoundException") else status


def _status(run: Run, repository: str) -> str:
    try:
        answer = run.client("ecr").describe_image_scan_findings(repositoryName=repository, imageId={"imageTag": "v1"})
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return str(answer["imageScanStatus"]["status"])


def expired(run: Run) -> Iterator[Observation]:
    """Ask for the kept image. Raises NotLookedAtError where it is too early, or none was kept."""
    at = run.journal.notes.get("scans-at")
    if at is None or not any(made.name == run.name("scans") for made in run.journal.left()):
        raise NotLookedAtError("no scanned image was kept")
    age = run.pace.now() - datetime.fromisoformat(at)
    if age <= DURATION:
        raise NotLookedAtError(f"too early: the image is {age} old, and Inspector's re-scan duration is {DURATION}")
    yield Observation(EXPIRED, _status(run, run.name("scans")), f"the image was {age} old")


STEP: Final = Step(
    name="08-scans",
    title="Scans in enhanced mode",
    how="where the registry's scanning is enhanced, pushes an image that looks like an old Debian",
    makes="a repository with one small image",
    dollars=0.09,
    budget=timedelta(minutes=12),
    beliefs=(ENHANCED,),
    do=_do,
    only_on_aws=NO_SCANS,
    kept=("scans",),
)
