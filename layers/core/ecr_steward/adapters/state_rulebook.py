"""The ``LastGoodRulebook`` port over the state table."""

import gzip
import logging
from typing import Final

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.ports.rulebook import CompiledRulebook

LARGEST: Final = 390_000
"""Bytes of a kept text, compressed: an item of DynamoDB has at most 400 KB. Ten thousand rules need less."""


class StateRulebook:
    """A ``LastGoodRulebook``. Version and text are two items: to know what is kept, little has to be read."""

    def __init__(self, table: StateTable, place: str) -> None:
        self._table = table
        self._version = Key("rulebook", f"{place}#version")
        self._text = Key("rulebook", f"{place}#text")

    def get(self) -> bytes | None:
        item = self._table.get(self._text)
        text = item.attributes.get("text") if item else None
        return gzip.decompress(text) if isinstance(text, bytes) and text else None

    def keep(self, good: CompiledRulebook) -> None:
        kept = self._table.get(self._version)
        if kept is not None and kept.text("version") == good.version:
            return
        text = gzip.compress(good.text, mtime=0)
        if len(text) > LARGEST:
            logging.getLogger(__name__).warning("the rulebook is too large to be kept: %s bytes", len(text))
            text = b""
        self._table.put(Item(self._text, {"text": text}))
        self._table.put(Item(self._version, {"version": good.version}))
