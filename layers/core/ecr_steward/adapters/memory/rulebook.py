"""Fakes of where a rulebook lies that can change under a running function."""

from hashlib import sha256

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.errors import RefusedByRegistryError
from ecr_steward.ports.rulebook import CompiledRulebook


class InMemoryRulebookSource:
    """A ``RulebookSource``. ``text`` is what lies there, or ``None`` for nothing."""

    place = "s3://rules/rulebook.json"

    def __init__(self, text: bytes | None = None, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.text = text

    def read(self, known_version: str | None) -> CompiledRulebook | None:
        with self.calls.record("read", known_version):
            if self.text is None:
                raise RefusedByRegistryError(f"s3:GetObject on {self.place}: NoSuchKey")
            version = sha256(self.text).hexdigest()
            return None if version == known_version else CompiledRulebook(self.text, version)


class InMemoryLastGoodRulebook:
    """A ``LastGoodRulebook``, which all functions share."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.kept: CompiledRulebook | None = None

    def get(self) -> bytes | None:
        with self.calls.record("get"):
            return self.kept.text if self.kept else None

    def keep(self, good: CompiledRulebook) -> None:
        with self.calls.record("keep", good):
            self.kept = good
