"""*Sweep Part*: some repositories to be swept. It goes to the sweep's queue and to no bus."""

import json
from typing import Annotated, Literal

from pydantic import Field

from ecr_steward.domain.names import Digest, RegistryRef
from ecr_steward.domain.notices import SOURCE
from ecr_steward.domain.sweeping import Cursor, SweepPart
from ecr_steward.events.envelope import AccountId, DigestText, EventModel, Region, RepositoryNameText, parse, parse_json


class SweepPartDetail(EventModel):
    """Which repositories, of which sweep."""

    account: AccountId
    region: Region
    repository_names: list[RepositoryNameText]
    sweep: str
    settings_only: bool
    whole_registry: bool
    hops: Annotated[int, Field(ge=0)]
    number: str = "1"
    job: str | None = None
    after: DigestText | None = None

    def to_part(self) -> SweepPart:
        """The part that this message asks for."""
        registry = RegistryRef(self.account, self.region)
        names = tuple(self.repository_names)
        after = Digest(self.after) if self.after else None
        cursor = Cursor(self.job, after) if self.job else None
        settings_only, whole_registry = self.settings_only, self.whole_registry
        return SweepPart(registry, names, self.sweep, settings_only, whole_registry, self.hops, self.number, cursor)


class SweepPartEvent(EventModel):
    """A part as its queue holds it: no bus has seen it, so it has no envelope but these two keys."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Sweep Part"]
    detail: SweepPartDetail


def encode_part(part: SweepPart) -> str:
    """A part as the body of a queue message."""
    detail = {
        "account": part.registry.account,
        "region": part.registry.region,
        "repository-names": part.repositories,
        "sweep": part.sweep,
        "settings-only": part.settings_only,
        "whole-registry": part.whole_registry,
        "hops": part.hops,
        "number": part.number,
    }
    if part.cursor:
        detail |= {"job": part.cursor.job, "after": part.cursor.after and part.cursor.after.value}
    return json.dumps({"source": SOURCE, "detail-type": "Sweep Part", "detail": detail})


def read_part(body: str | bytes) -> SweepPart:
    """Read the body of a queue message. Raises MalformedEventError."""
    return parse(SweepPartEvent, parse_json(body)).detail.to_part()
