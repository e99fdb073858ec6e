"""A new vulnerability in a large registry: Inspector reports it for the images of every repository within a minute.

What is counted is what the deployed functions do about it: each image is judged once, no message is set aside.
"""

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from lab.peers import ACCOUNT, REGION
from lab.verdicts import Verdict, tell
from local_ecr import Registry, SeededImages
from measuring.houses import BUILD, TIMEOUT, House, house
from measuring.reports import ENHANCED, report_scans
from measuring.rulebooks import JUDGED, compiled

PLATFORMS, IMAGES = 2, 5
"""Of an image, and of a repository."""
QUEUES = ("FailureQueue", "DeliveryFailureQueue", "EvaluateImageScanDeadLetterQueue")


def main() -> None:
    """Measure, print, and end with 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repositories", type=int, default=300)
    parser.add_argument("--findings", type=int, default=1_000)
    options = parser.parse_args()
    tell("A new finding", judged(options.repositories, options.findings))


def judged(repositories: int, findings: int) -> list[Verdict]:
    """The verdicts, and what is left in queues, when so many platform images get a finding at once."""
    names = [f"team-1/service-{number}" for number in range(repositories)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-finding-") as folder,
        house(Path(folder), {}, (REGION,), BUILD) as stage,
    ):
        stage.use_rulebook(compiled(JUDGED))
        seeded = SeededImages(count=IMAGES, platforms=PLATFORMS)
        stage.sandbox.local_ecr.seed(Registry(ACCOUNT, REGION), names, seeded)
        affected = list(islice(_platform_images(stage, names), findings))
        with stage.counted() as calls:
            _report(stage, affected)
            stage.sandbox.wait_until_idle(TIMEOUT)
        given = Counter(
            (event.event["detail"]["repository-name"], event.event["detail"]["image-digest"])
            for event in stage.sandbox.events
            if event.event["detail-type"] == "Image Verdict"
        )
        ran = Counter((one.function, one.outcome) for one in stage.sandbox.invocations)
        print(f"{len(affected):,} findings in {repositories} repositories: {calls}")
        print(", ".join(f"{count} {function} {outcome}" for (function, outcome), count in ran.most_common()))
        return [
            *_verdicts(given, affected),
            *(_empty(stage, queue) for queue in QUEUES),
            Verdict(
                "calls to ECR for each repository", f"{calls.of_ecr.total() / repositories:.1f}", "", "printed", True
            ),
        ]


def _verdicts(given: Counter[tuple[str, str]], affected: Sequence[tuple[str, str]]) -> list[Verdict]:
    """Of indexes, each of which has the findings of its platforms."""
    platforms = Counter(name for name, _ in affected)
    expected = sum(-(-count // PLATFORMS) for count in platforms.values())
    twice = sum(count > 1 for count in given.values())
    return [
        Verdict("images judged", str(len(given)), "", f"all {expected}", len(given) == expected),
        Verdict("verdicts published twice", str(twice), "", "none", twice == 0),
    ]


def _platform_images(stage: House, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of every repository in turn: first those of the first image of each, then those of the second."""
    ecr = stage.sandbox.client("ecr")
    held: dict[str, list[str]] = {}
    for name in names:
        indexes = sorted(
            (each for each in ecr.describe_images(repositoryName=name)["imageDetails"] if "imageTags" in each),
            key=lambda each: each["imageTags"],
        )
        ids = [{"imageDigest": each["imageDigest"]} for each in indexes]
        manifests = {
            each["imageId"]["imageDigest"]: json.loads(each["imageManifest"])
            for each in ecr.batch_get_image(repositoryName=name, imageIds=ids)["images"]
        }
        held[name] = [child["digest"] for each in ids for child in manifests[each["imageDigest"]]["manifests"]]
    for number in range(IMAGES * PLATFORMS):
        yield from ((name, held[name][number]) for name in names)


def _report(stage: House, affected: Sequence[tuple[str, str]]) -> None:
    finding = {"severity": "HIGH", "title": "CVE-2026-12345 - openssl", "type": "PACKAGE_VULNERABILITY"}
    details = {"vulnerabilityId": "CVE-2026-12345", "vulnerablePackages": [{"name": "openssl", "version": "3.0.13"}]}
    report_scans(stage, affected, [{**finding, "packageVulnerabilityDetails": details}], kind=ENHANCED)


def _empty(stage: House, queue: str) -> Verdict:
    url = stage.sandbox.deployment.resources[queue].physical_id
    asked = ["ApproximateNumberOfMessages"]
    answer = stage.sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=asked)
    count = answer["Attributes"]["ApproximateNumberOfMessages"]
    return Verdict(f"messages in {queue}", count, "", "none", count == "0")


if __name__ == "__main__":
    main()
