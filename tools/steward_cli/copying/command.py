"""``ecr-steward copy``, without its arguments."""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ecr_steward.adapters.manifests import subset
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import StewardError
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.copy_images import Copied, CopyRun, How, Result, Wanted
from ecr_steward.usecases.moving import BLOB_WORKERS, Pace
from steward_cli.copying.places import Place, PlaceError, read_place
from steward_cli.copying.progress import shown
from steward_cli.copying.stores import Stores
from steward_cli.refusal import refuse

SCHEMA_VERSION = 1
FAILED = 1
SOME_SKIPPED = 3
INTERRUPTED = 130  # as a shell has it: 128 and the number of the signal
_MIB = 1 << 20


@dataclass(frozen=True)
class Asked:
    """What a person gave with the command."""

    source: str
    destination: str
    platforms: Sequence[str]
    all_tags: bool
    referrers: bool
    deep: bool
    no_clobber: bool
    dry_run: bool
    insecure: bool
    keep_going: bool
    as_json: bool
    digest_file: Path | None
    jobs: int = BLOB_WORKERS
    token_servers: Sequence[str] = ()


def copy(asked: Asked) -> int:
    """Copy, print, and answer the exit code. Raises SystemExit for wrong use."""
    source, destination = (_place(text) for text in (asked.source, asked.destination))
    servers = dict(_pair(text) for text in asked.token_servers)
    select = partial(subset, platforms=asked.platforms) if asked.platforms else None
    how = How(asked.referrers, asked.deep, asked.no_clobber, asked.dry_run, select)
    if asked.all_tags and (source.reference is not None or destination.reference is not None):
        refuse("--all-tags copies every image tag: name no tag and no digest", Code.COPY_OPTIONS)
    stores = Stores(insecure=asked.insecure, idle=3 * asked.jobs, token_servers=servers)
    told: list[Copied | tuple[Wanted, StewardError]] = []
    try:
        with ThreadPoolExecutor(2) as pool:  # each may have to ask how to speak to its registry
            opened = pool.submit(stores.source, source), pool.submit(stores.destination, destination, source)
            from_here, to_there = (each.result() for each in opened)
        wanted = (
            [Wanted(tag, tag) for tag in from_here.image_tags()]
            if asked.all_tags
            else [_wanted(source, destination.reference)]
        )
        if not wanted:
            sys.stderr.write(f"note: {source} has no image tag\n")
        with (
            shown(quiet=asked.dry_run) as progress,
            CopyRun(from_here, to_there, how, progress, pace=Pace(asked.jobs)) as run,
        ):
            for each in run.copy_all(wanted, keep_going=asked.keep_going):
                told.append(each)
    except (StewardError, OSError) as error:
        return _end(asked, source, destination, told, error)
    except KeyboardInterrupt:
        _end(asked, source, destination, told, None)
        sys.stderr.write("given up; what is there stays, and the next run goes on from it\n")
        return INTERRUPTED
    return _end(asked, source, destination, told, None)


def _wanted(source: Place, destination: Digest | ImageTag | None) -> Wanted:
    if isinstance(destination, Digest):
        refuse("the destination is a tag, or nothing: what an image's digest is, it says itself", Code.COPY_OPTIONS)
    reference = source.reference or ImageTag("latest")
    return Wanted(reference, destination or (source.image_tag if isinstance(reference, Digest) else reference))


def _end(
    asked: Asked,
    source: Place,
    destination: Place,
    told: Sequence[Copied | tuple[Wanted, StewardError]],
    error: Exception | None,
) -> int:
    copied = [each for each in told if isinstance(each, Copied)]
    failures = [each for each in told if not isinstance(each, Copied)]
    if asked.as_json:
        document = {
            "schema_version": SCHEMA_VERSION,
            "source": str(source),
            "destination": str(destination),
            "images": [_as_json(each) for each in copied],
            "failures": [
                *({"image": str(wanted), "error": type(why).__name__, "why": str(why)} for wanted, why in failures),
                *([{"image": None, "error": type(error).__name__, "why": str(error)}] if error else []),
            ],
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        for each in copied:
            _tell(each, destination)
        for wanted, why in failures:
            sys.stderr.write(f"Error: {wanted}: {_told(why)}\n")
        if error:
            sys.stderr.write(f"Error: {_told(error)}\n")
    if asked.digest_file and copied:
        try:
            asked.digest_file.write_text("".join(f"{each.digest}\n" for each in copied), encoding="utf-8")
        except OSError as cause:
            sys.stderr.write(f"Error: {cause}\n")
            return FAILED
    if failures or error:
        return FAILED
    return SOME_SKIPPED if any(each.result is Result.SKIPPED for each in copied) else 0


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
        sys.stderr.write(f"note: {remark}\n")


def _told(error: Exception) -> str:
    return "; ".join([str(error), *getattr(error, "__notes__", ())])


def _place(text: str) -> Place:
    try:
        return read_place(text)
    except PlaceError as error:
        refuse(str(error), Code.COPY_PLACE)


def _pair(text: str) -> tuple[str, str]:
    registry, separator, server = text.partition("=")
    if not separator or not registry or not server:
        refuse(f"{text!r} is no REGISTRY=HOST, such as registry.example.com=auth.example.com", Code.COPY_OPTIONS)
    return registry, server
