"""The ``Workloads`` port over ECS, Lambda and Inspector."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import batched
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.image_uris import used_image
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.translation import code_of, refusal, translated
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import OutOfTimeError, StewardError, WorkloadsUnreadError, gravest
from ecr_steward.ports.accounts import ConnectedAccounts
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.revisions import Revisions

FRESH = timedelta(minutes=5)
"""How long what runs is not asked for again: the parts of a sweep that share an invocation's process share it."""
READ_WITHIN = timedelta(seconds=60)
"""How long the reading of one account may take. What is not known then stays, and the next look goes on."""
ACCOUNTS_AT_ONCE = 32
"""Accounts that are read at the same time, each by a thread of its own: a slow one keeps none of these waiting."""
SERVICES_AT_ONCE = 10  # DescribeServices API reference
TASKS_AT_ONCE = 100  # DescribeTasks API reference
COVERAGE_PAGE = 200  # the largest that Inspector takes (ListCoverage API reference)


type _Reading = Callable[["_Place"], Iterator[UsedImage]]


class _Place:
    """Where an account is read, and until when."""

    def __init__(self, registry: RegistryRef, now: Clock) -> None:
        self.registry = registry
        self._now = now
        self._until = now() + READ_WITHIN

    def __str__(self) -> str:
        return str(self.registry)

    def require_time(self, what: str) -> None:
        """Raises WorkloadsUnreadError when the time of this account is over."""
        if self._now() > self._until:
            seconds = READ_WITHIN.total_seconds()
            raise WorkloadsUnreadError(
                f"what runs in {self} was not read within {seconds:.0f} s: {what}. The next look goes on there"
            )


class AwsWorkloads:
    """A ``Workloads``. Safe to use from several threads."""

    def __init__(
        self,
        clients: AwsClients,
        own: str,
        connected: ConnectedAccounts,
        now: Clock,
        revisions: Revisions | None = None,
    ) -> None:
        """Each account is asked in the region in question: ``own``, and all that are connected.

        Without ``revisions``, what those name is remembered as long as the process lives.
        """
        self._clients = clients
        self._own = own
        self._connected = connected
        self._now = now
        self._lock = Lock()
        self._known: dict[tuple[str, str], tuple[datetime, tuple[UsedImage, ...] | StewardError]] = {}
        self._locks: dict[tuple[str, str], Lock] = {}
        """One for each source and region, so that none waits for another."""
        self._revisions = revisions
        self._named: dict[RegistryRef, dict[str, Sequence[str]]] = {}
        """URIs of images that task definitions and versions of functions name: a revision never changes."""

    def run_by_ecs(self, region: str) -> tuple[UsedImage, ...]:
        return self._fresh("ecs", region, self._of_ecs)

    def run_by_lambda(self, region: str) -> tuple[UsedImage, ...]:
        return self._fresh("lambda", region, self._of_lambda)

    def counted_by_inspector(self, repository: RepositoryRef) -> Mapping[Digest, int]:
        registry = repository.registry
        wanted = {
            "resourceType": "AWS_ECR_CONTAINER_IMAGE",
            "accountId": registry.account,
            "ecrRepositoryName": repository.name,
        }
        criteria = {key: [{"comparison": "EQUALS", "value": value}] for key, value in wanted.items()}
        counts: dict[Digest, int] = {}
        with translated("inspector2:ListCoverage", repository):
            inspector = self._clients.inspector2(registry)
            for covered in all_pages(
                inspector, "list_coverage", "coveredResources", page_size=COVERAGE_PAGE, filterCriteria=criteria
            ):
                count = covered.get("resourceMetadata", {}).get("ecrImage", {}).get("inUseCount")
                if count is not None:
                    digest = Digest(covered["resourceId"].rpartition("/")[2])
                    counts[digest] = max(count, counts.get(digest, 0))
        return counts

    def _fresh(self, source: str, region: str, read: _Reading) -> tuple[UsedImage, ...]:
        """What a source says in all accounts, or the error that it met, as it was found out minutes ago at most."""
        with self._lock:
            lock = self._locks.setdefault((source, region), Lock())
        with lock:
            now = self._now()
            asked_at, answer = self._known.get((source, region), (now - 2 * FRESH, ()))
            if now - asked_at > FRESH:
                answer = self._of_all(region, read)
                if not isinstance(answer, OutOfTimeError):  # the next invocation has time of its own
                    self._known[source, region] = now, answer
        if isinstance(answer, StewardError):
            raise answer.with_traceback(None)  # else every raise would leave its frames there
        return answer

    def _of_all(self, region: str, read: _Reading) -> tuple[UsedImage, ...] | StewardError:
        """What a source says in all accounts, or the gravest error: half of what runs is no answer."""
        errors: list[StewardError] = []
        found: dict[UsedImage, None] = {}
        accounts = sorted({self._own, *self._connected.all()})
        with ThreadPoolExecutor(min(ACCOUNTS_AT_ONCE, len(accounts)), "workloads") as pool:

            def of_one(account: str) -> tuple[UsedImage, ...]:
                return tuple(read(_Place(RegistryRef(account, region), self._now)))

            for reading in [pool.submit(of_one, account) for account in accounts]:
                try:
                    found |= dict.fromkeys(reading.result())
                except StewardError as error:
                    errors.append(error)
        return gravest(errors) if errors else tuple(found)

    # ------------------------------------------------------------------ ECS

    def _of_ecs(self, place: _Place) -> Iterator[UsedImage]:
        ecs: Any = self._clients.ecs(place.registry)
        with translated("ecs:ListTaskDefinitions", place):
            definitions = _latest(all_pages(ecs, "list_task_definitions", "taskDefinitionArns", status="ACTIVE"))
        with translated("ecs:ListClusters", place):
            clusters = list(all_pages(ecs, "list_clusters", "clusterArns"))
        for cluster in clusters:
            # What runs may be an older revision, and one that is not active any more.
            place.require_time(f"one of its {len(clusters)} clusters is left at least")
            definitions |= set(_definitions_of_services(ecs, cluster))
            for task in _tasks(ecs, cluster):
                definitions.add(task["taskDefinitionArn"])
                by = f"the task {_name(task['taskArn'])} of ECS in {place}"
                yield from _images(
                    by, ((one.get("image"), one.get("imageDigest")) for one in task.get("containers", ()))
                )
        with self._remembered(place) as named:
            for number, arn in enumerate(sorted(definitions)):
                if arn not in named:
                    place.require_time(f"{number} of {len(definitions)} task definitions were")
                    named[arn] = _named_by_definition(ecs, arn)
                by = f"the task definition {_name(arn)} of ECS in {place}"
                yield from _images(by, ((uri, None) for uri in named[arn]))

    @contextmanager
    def _remembered(self, place: _Place) -> Iterator[dict[str, Sequence[str]]]:
        """What revisions name, by what they are known by; what is added is remembered, whatever ends the reading."""
        registry = place.registry
        with self._lock:
            named = self._named.setdefault(registry, {})
        if not named and self._revisions is not None:
            with _noted("what revisions name is not remembered"):
                named.update(self._revisions.known(registry))
        before = set(named)
        try:
            yield named
        finally:
            if self._revisions is not None and (new := named.keys() - before):
                with _noted("what revisions name is read again by the next process"):
                    self._revisions.keep(registry, {revision: named[revision] for revision in new})

    # ------------------------------------------------------------------ Lambda

    def _of_lambda(self, place: _Place) -> Iterator[UsedImage]:
        functions: Any = self._clients.lambda_(place.registry)
        with translated("lambda:ListFunctions", place):
            listed = list(all_pages(functions, "list_functions", "Functions", FunctionVersion="ALL"))
        with self._remembered(place) as named:
            for number, function in enumerate(listed):
                if function.get("PackageType") != "Image":
                    continue
                version = " ".join(str(function.get(key)) for key in _CHANGES)
                if version not in named:
                    place.require_time(f"{number} of {len(listed)} versions of functions were")
                    named[version] = _named_by_function(functions, function)
                by = f"the function {function['FunctionArn'].partition(':function:')[2]} of Lambda in {place}"
                yield from _images(by, ((uri, None) for uri in named[version]))


@contextmanager
def _noted(what: str) -> Iterator[None]:
    """Go on where the memory fails: everything works without, only dearer."""
    try:
        yield
    except StewardError as error:
        logging.getLogger(__name__).warning("%s: %s", what, error)


_CHANGES = ("FunctionArn", "Version", "CodeSha256", "LastModified", "RevisionId")
"""Of a listed version of a function: with another image at least one of these is another, too."""


def _named_by_function(functions: Any, function: Mapping[str, Any]) -> Sequence[str]:
    with translated("lambda:GetFunction", function["FunctionArn"]):
        try:
            wanted = {"FunctionName": function["FunctionName"], "Qualifier": function["Version"]}
            code = functions.get_function(**wanted).get("Code", {})
        except ClientError as cause:
            if code_of(cause) == "ResourceNotFoundException":
                return ()  # deleted since it was listed
            raise
    return tuple(code[key] for key in ("ImageUri", "ResolvedImageUri") if code.get(key))


def _latest(arns: Iterable[str]) -> set[str]:
    """The latest of the revisions of each family: an account may have thousands that nothing runs any more."""
    latest: dict[str, int] = {}
    for arn in arns:
        family, _, revision = arn.rpartition(":")
        latest[family] = max(int(revision), latest.get(family, 0))
    return {f"{family}:{revision}" for family, revision in latest.items()}


def _images(by: str, named: Iterable[tuple[str | None, str | None]]) -> Iterator[UsedImage]:
    """The images of ECR among URIs, some of which come with the digest that was pulled."""
    for uri, digest in named:
        if uri and (image := used_image(uri, by, digest)):
            yield image


def _definitions_of_services(ecs: Any, cluster: str) -> Iterator[str]:
    with translated("ecs:ListServices", cluster):
        services = list(all_pages(ecs, "list_services", "serviceArns", cluster=cluster))
    for some in batched(services, SERVICES_AT_ONCE, strict=False):
        with translated("ecs:DescribeServices", cluster):
            answer = ecs.describe_services(cluster=cluster, services=list(some))
        _all_are_there("ecs:DescribeServices", cluster, answer)
        for service in answer["services"]:
            for one in (service, *service.get("deployments", ()), *service.get("taskSets", ())):
                if definition := one.get("taskDefinition"):
                    yield definition


def _tasks(ecs: Any, cluster: str) -> Iterator[Mapping[str, Any]]:
    with translated("ecs:ListTasks", cluster):
        tasks = list(all_pages(ecs, "list_tasks", "taskArns", cluster=cluster))
    for some in batched(tasks, TASKS_AT_ONCE, strict=False):
        with translated("ecs:DescribeTasks", cluster):
            answer = ecs.describe_tasks(cluster=cluster, tasks=list(some))
        _all_are_there("ecs:DescribeTasks", cluster, answer)
        yield from answer["tasks"]


def _all_are_there(action: str, cluster: str, answer: Mapping[str, Any]) -> None:
    """Raise what ``failures[]`` tells, but for what has ended since it was listed."""
    for failure in answer.get("failures", ()):
        if failure.get("reason") != "MISSING":
            raise refusal(action, failure.get("arn", cluster), failure.get("reason", ""), failure.get("detail", ""))


def _named_by_definition(ecs: Any, arn: str) -> Sequence[str]:
    with translated("ecs:DescribeTaskDefinition", arn):
        described = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return tuple(one["image"] for one in described.get("containerDefinitions", ()) if one.get("image"))


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
