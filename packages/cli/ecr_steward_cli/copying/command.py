"""``ecr-steward copy``, without its arguments."""

# ruff: noqa: PLC0415 - what creates repositories takes longer to import than many a copy takes

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef
from ecr_steward.errors import AccessDeniedError, RepositoryNotFoundError, StewardError
from ecr_steward.ports.stores import ImageStore
from ecr_steward.rulebook.codes import Code
from ecr_steward.usecases.copy_images import CopyRun, How, Wanted
from ecr_steward.usecases.moving import BLOB_WORKERS, Pace
from ecr_steward_cli.copying.places import Place, PlaceError, RegistryPlace, read_place
from ecr_steward_cli.copying.platforms import is_platform, selected
from ecr_steward_cli.copying.progress import shown
from ecr_steward_cli.copying.stores import Stores
from ecr_steward_cli.copying.telling import Story, note
from ecr_steward_cli.exit_codes import INTERRUPTED
from ecr_steward_cli.refusal import refuse


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
    create: bool = False
    """Whether the repository of ECR is created, where there is none."""
    rulebook: Path | None = None
    """Which says with what settings."""


def copy(asked: Asked) -> int:
    """Copy, print, and answer the exit code. Raises SystemExit for wrong use."""
    source, destination = (_place(text) for text in (asked.source, asked.destination))
    _require_sense(asked, source, destination)
    servers = dict(_pair(text) for text in asked.token_servers)
    stores = Stores(insecure=asked.insecure, idle=3 * asked.jobs, token_servers=servers)
    story = Story(source, destination)
    tell = partial(story.tell, as_json=asked.as_json, digest_file=asked.digest_file)
    try:
        with ThreadPoolExecutor(2) as pool:  # each may have to ask how to speak to its registry
            opened = pool.submit(stores.source, source), pool.submit(stores.destination, destination, source)
            from_here, to_there = (each.result() for each in opened)
        select = partial(selected, store=from_here, platforms=asked.platforms) if asked.platforms else None
        how = How(asked.referrers, asked.deep, asked.no_clobber, asked.dry_run, select)
        wanted = (
            [Wanted(tag, tag) for tag in from_here.image_tags()]
            if asked.all_tags
            else [_wanted(source, destination.reference)]
        )
        if not wanted:
            note(f"{source} has no image tag")
        elif asked.create:
            try:
                have_repository(asked, story, stores, lambda: _is_of_use(from_here, to_there, asked, wanted, how))
            except AccessDeniedError as error:
                error.add_note("--create is done by AWS's own credentials, whatever docker login keeps")
                raise
        elif asked.dry_run and _in_ecr(destination) and _is_missing(to_there):
            note(_advice(destination))
        with (
            shown(quiet=asked.dry_run) as progress,
            CopyRun(from_here, to_there, how, progress, pace=Pace(asked.jobs)) as run,
        ):
            for each in run.copy_all(wanted, keep_going=asked.keep_going):
                story.told.append(each)
    except (StewardError, OSError) as error:
        return tell(error)
    except KeyboardInterrupt:
        tell(None)
        sys.stderr.write("given up; what is there stays, and the next run goes on from it\n")
        return INTERRUPTED
    exit_code = tell(None)
    lost = [each for each, why in story.failures if isinstance(why, RepositoryNotFoundError)]
    if lost and not asked.create and _in_ecr(destination) and _can_be_read(from_here, lost[0], how):
        note(_advice(destination))
    return exit_code


def _require_sense(asked: Asked, source: Place, destination: Place) -> None:
    if asked.all_tags and (source.reference is not None or destination.reference is not None):
        refuse("--all-tags copies every image tag: name no tag and no digest", Code.COPY_OPTIONS)
    if wrong := next((each for each in asked.platforms if not is_platform(each)), None):
        refuse(f"--platform {wrong} is not OS/ARCH or OS/ARCH/VARIANT, such as linux/arm64", Code.COPY_OPTIONS)
    if asked.rulebook and not asked.create:
        refuse("--rulebook says how --create creates: give both", Code.COPY_OPTIONS)
    if asked.create and _in_ecr(destination) is None:
        refuse(f"--create makes repositories of ECR, and {destination} is no address of one", Code.COPY_OPTIONS)


def have_repository(asked: Asked, story: Story, stores: Stores, is_of_use: Callable[[], bool]) -> None:
    """Have the destination, with its settings, before anything is copied there. What cannot be read has none made."""
    from ecr_steward_cli.copying.creating import create, is_there, plan_creation, rulebook_for, set_up

    rulebook = rulebook_for(asked.rulebook)
    to = _in_ecr(story.destination)
    if to is None or is_there(to, stores.aws) or not is_of_use():
        return
    creation = plan_creation(to, _in_ecr(story.source), rulebook, stores.aws)
    if not asked.dry_run:
        story.is_created = create(creation, stores.aws)
        if not story.is_created:
            note(f"somebody else has just created {to}: it stays as it is")
            return
    story.creation = creation
    if story.is_created:
        set_up(creation, stores.aws)
    for line in story.creation.told(is_done=story.is_created):
        sys.stderr.write(f"{line}\n")


def _is_of_use(source: ImageStore, destination: ImageStore, asked: Asked, wanted: Sequence[Wanted], how: How) -> bool:
    """Whether a new repository would get an image. Raises StewardError where the destination takes no login.

    Whether that login may push, nobody can ask without pushing.
    """
    candidates = wanted if asked.keep_going else wanted[:1]
    if not any(_can_be_read(source, each, how) for each in candidates):
        return False
    destination.digest_of(wanted[0].image_tag or wanted[0].reference)
    return True


def _can_be_read(source: ImageStore, wanted: Wanted, how: How) -> bool:
    """Whether an image is there, with the platforms that are asked for."""
    try:
        top = source.manifest(wanted.reference)
        if how.select:
            how.select(top)
    except StewardError:
        return False
    return True


def _is_missing(destination: ImageStore) -> bool:
    """Whether there is no such repository. Where nobody says, there is one."""
    try:
        next(destination.image_tags(), None)
    except RepositoryNotFoundError:
        return True
    except StewardError:
        return False
    return False


def _advice(destination: Place) -> str:
    return f"ECR has no repository {destination} yet: --create makes it, by the rules of a rulebook where there is one"


def _in_ecr(place: Place) -> RepositoryRef | None:
    """A place in ECR's own words."""
    if not isinstance(place, RegistryPlace) or place.registry is None:
        return None
    return RepositoryRef(place.registry, place.repository_name)


def _wanted(source: Place, destination: Digest | ImageTag | None) -> Wanted:
    if isinstance(destination, Digest):
        refuse("the destination is a tag, or nothing: what an image's digest is, it says itself", Code.COPY_OPTIONS)
    reference = source.reference or ImageTag("latest")
    return Wanted(reference, destination or (source.image_tag if isinstance(reference, Digest) else reference))


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
