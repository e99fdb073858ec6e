"""What a copy says at its end: lines for people, or JSON, and the exit code."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecr_steward.errors import StewardError
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.copy_images import Copied, Result, Wanted
from ecr_steward_cli.copying.places import Place
from ecr_steward_cli.exit_codes import DONE, FAILED, SKIPPED
from ecr_steward_cli.refusal import report_text

if TYPE_CHECKING:
    from ecr_steward_cli.copying.creating import Creation

SCHEMA_VERSION = 1
"""Of the JSON. New keys do not change it."""
_MIB = 1 << 20


class Story:
    """What has become of a copy so far."""

    def __init__(self, source: Place, destination: Place) -> None:
        self.source = source
        self.destination = destination
        self.told: list[Copied | tuple[Wanted, StewardError]] = []
        self.creation: Creation | None = None
        self.is_created = False

    @property
    def copied(self) -> list[Copied]:
        return [each for each in self.told if isinstance(each, Copied)]

    @property
    def failures(self) -> list[tuple[Wanted, StewardError]]:
        return [each for each in self.told if not isinstance(each, Copied)]

    def tell(self, error: Exception | None, *, as_json: bool, digest_file: Path | None) -> int:
        """Print it, with the error that ended it; the exit code."""
        if as_json:
            sys.stdout.write(json.dumps(self._document(error), indent=2) + "\n")
        else:
            for each in self.copied:
                _tell(each, self.destination)
            for wanted, why in self.failures:
                report_text(f"{wanted}: {_told(why)}", Code.NOT_COPIED)
            if error:
                report_text(_told(error), Code.NOT_COPIED)
        if digest_file and self.copied:
            try:
                digest_file.write_text("".join(f"{each.digest}\n" for each in self.copied), encoding="utf-8")
            except OSError as cause:
                report_text(f"{digest_file} cannot be written: {cause.strerror}", Code.FILE_UNREADABLE)
                return FAILED
        if self.failures or error:
            return FAILED
        return SKIPPED if any(each.result is Result.SKIPPED for each in self.copied) else DONE

    def _document(self, error: Exception | None) -> dict[str, Any]:
        failures: Sequence[tuple[Wanted | None, Exception]] = [*self.failures, *([(None, error)] if error else [])]
        return {
            "schema_version": SCHEMA_VERSION,
            "source": str(self.source),
            "destination": str(self.destination),
            "creation": self.creation.document(is_done=self.is_created) if self.creation else None,
            "images": [_as_json(each) for each in self.copied],
            "failures": [
                {
                    "image": str(wanted) if wanted else None,
                    "error": type(why).__name__,
                    "code": str(Code.NOT_COPIED),
                    "why": _told(why),
                }
                for wanted, why in failures
            ],
        }


def note(text: str) -> None:
    """Say something beside what is copied."""
    sys.stderr.write(f"note: {text}\n")


def _as_json(copied: Copied) -> dict[str, object]:
    return {
        "image": str(copied.wanted),
        "image_tag": copied.wanted.image_tag,
        "digest": str(copied.digest),
        "result": str(copied.result),
        "manifests": copied.manifests,
        "blobs": copied.blobs,
        "bytes": copied.bytes,
        "remarks": list(copied.remarks),
    }


def _tell(copied: Copied, destination: Place) -> None:
    where = f"{destination}:{copied.wanted.image_tag}" if copied.wanted.image_tag else str(destination)
    amount = f"{copied.manifests} manifests, {copied.blobs} blobs, {copied.bytes / _MIB:.1f} MiB"
    words = {
        Result.COPIED: f"copied to {where}: {amount}",
        Result.PRESENT: f"is at {where} already",
        Result.SKIPPED: "skipped",
        Result.PLANNED: f"would be copied to {where}: {amount}",
    }
    sys.stdout.write(f"{copied.wanted} {words[copied.result]}; {copied.digest}\n")
    for remark in copied.remarks:
        note(remark)


def _told(error: Exception) -> str:
    said = str(error)
    return "; ".join([said, *(each for each in getattr(error, "__notes__", ()) if said not in each)])
