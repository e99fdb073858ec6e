"""Fakes of the steward's ports: small, in memory, and as stubborn as the real thing.

Use cases are tested with them. The suites in ``tests/contract`` run the same tests on a fake and on its real adapter,
so a fake cannot drift from what it stands for.
"""

from ecr_steward_fakes.backfills import FakeBackfills, FakeStartedBackfills
from ecr_steward_fakes.calls import Call, Calls
from ecr_steward_fakes.credentials import FakeLogins, FakeRole, FakeSecrets
from ecr_steward_fakes.image_content import FakeImageContent
from ecr_steward_fakes.messages import (
    FakeFailureQueue,
    FakeNotices,
    FakeReplicationQueue,
    FakeSourceQueue,
    FakeSweepQueue,
)
from ecr_steward_fakes.native_replication import FakeNativeCopies
from ecr_steward_fakes.registry import FakeRegistry
from ecr_steward_fakes.registry_settings import FakeRegistrySettings
from ecr_steward_fakes.scans import FakeScans
from ecr_steward_fakes.sightings import FakeSightings
from ecr_steward_fakes.state import FakeBrakes, FakeJournal, FakeLeases, FakeReleases, FakeSwitch
from ecr_steward_fakes.stores import FakeStore
from ecr_steward_fakes.workloads import FakeWorkloads

__all__ = [
    "Call",
    "Calls",
    "FakeBackfills",
    "FakeBrakes",
    "FakeFailureQueue",
    "FakeImageContent",
    "FakeJournal",
    "FakeLeases",
    "FakeLogins",
    "FakeNativeCopies",
    "FakeNotices",
    "FakeRegistry",
    "FakeRegistrySettings",
    "FakeReleases",
    "FakeReplicationQueue",
    "FakeRole",
    "FakeScans",
    "FakeSecrets",
    "FakeSightings",
    "FakeSourceQueue",
    "FakeStartedBackfills",
    "FakeStore",
    "FakeSweepQueue",
    "FakeSwitch",
    "FakeWorkloads",
]
