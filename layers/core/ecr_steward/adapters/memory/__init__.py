"""The steward's ports in memory: ``plan``, ``apply`` and ``test`` run on them, and so do the tests of use cases.

They refuse what ECR refuses where the steward could notice. The suites in ``tests/contract`` run the same tests on each
of them and on the real adapter, so that both behave alike.
"""

from ecr_steward.adapters.memory.announcements import InMemoryAnnouncements
from ecr_steward.adapters.memory.backfills import InMemoryBackfills, InMemoryStartedBackfills
from ecr_steward.adapters.memory.calls import Call, Calls
from ecr_steward.adapters.memory.contents import InMemoryContents
from ecr_steward.adapters.memory.credentials import InMemoryLogins, InMemoryRole, InMemorySecrets
from ecr_steward.adapters.memory.image_content import InMemoryImageContent
from ecr_steward.adapters.memory.messages import (
    InMemoryFailureQueue,
    InMemoryHints,
    InMemoryNotices,
    InMemoryReplicationQueue,
    InMemorySourceQueue,
    InMemorySweepQueue,
)
from ecr_steward.adapters.memory.native_replication import InMemoryNativeCopies
from ecr_steward.adapters.memory.own_tags import InMemoryOwnTags
from ecr_steward.adapters.memory.registry import InMemoryRegistry
from ecr_steward.adapters.memory.registry_settings import InMemoryRegistrySettings
from ecr_steward.adapters.memory.revisions import InMemoryRevisions
from ecr_steward.adapters.memory.rule_sets import InMemoryRuleSets
from ecr_steward.adapters.memory.scans import InMemoryScans
from ecr_steward.adapters.memory.seen_settings import InMemorySeenSettings
from ecr_steward.adapters.memory.sightings import InMemorySightings
from ecr_steward.adapters.memory.state import (
    InMemoryBrakes,
    InMemoryJournal,
    InMemoryLeases,
    InMemoryReleases,
    InMemorySwitch,
)
from ecr_steward.adapters.memory.stores import InMemoryStore
from ecr_steward.adapters.memory.sweep_parts import InMemorySweepParts
from ecr_steward.adapters.memory.verdicts import InMemoryVerdicts
from ecr_steward.adapters.memory.workloads import InMemoryWorkloads

__all__ = [
    "Call",
    "Calls",
    "InMemoryAnnouncements",
    "InMemoryBackfills",
    "InMemoryBrakes",
    "InMemoryContents",
    "InMemoryFailureQueue",
    "InMemoryHints",
    "InMemoryImageContent",
    "InMemoryJournal",
    "InMemoryLeases",
    "InMemoryLogins",
    "InMemoryNativeCopies",
    "InMemoryNotices",
    "InMemoryOwnTags",
    "InMemoryRegistry",
    "InMemoryRegistrySettings",
    "InMemoryReleases",
    "InMemoryReplicationQueue",
    "InMemoryRevisions",
    "InMemoryRole",
    "InMemoryRuleSets",
    "InMemoryScans",
    "InMemorySecrets",
    "InMemorySeenSettings",
    "InMemorySightings",
    "InMemorySourceQueue",
    "InMemoryStartedBackfills",
    "InMemoryStore",
    "InMemorySweepParts",
    "InMemorySweepQueue",
    "InMemorySwitch",
    "InMemoryVerdicts",
    "InMemoryWorkloads",
]
