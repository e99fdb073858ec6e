"""The trail of an account: the sandbox's events of API calls come as from one, so CloudTrail shows one.

It is made when CloudTrail is first asked, so that a sandbox begins without it. One that a person stops or deletes stays
so, and events come all the same: moto's CloudTrail records nothing.
"""

from __future__ import annotations

from typing import Final

from ecr_steward_sandbox.deploy import Aws

NAME: Final = "sandbox"


class Trails:
    """Makes the trail of each account once."""

    def __init__(self) -> None:
        self._made: set[tuple[str, str]] = set()

    def make(self, account: str, region: str) -> None:
        """The trail that a new account is given in its first region."""
        if any(made == account for made, _ in self._made):
            return
        self._made.add((account, region))
        aws = Aws(account, region)
        bucket = f"trail-{account}"
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        aws.client("s3").create_bucket(Bucket=bucket, **where)
        cloudtrail = aws.client("cloudtrail")
        cloudtrail.create_trail(Name=NAME, S3BucketName=bucket, IsMultiRegionTrail=True)
        selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}
        cloudtrail.put_event_selectors(TrailName=NAME, EventSelectors=[selector])
        cloudtrail.start_logging(Name=NAME)
