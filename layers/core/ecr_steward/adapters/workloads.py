"""The ``Workloads`` port over ECS, Lambda and Inspector."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
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
from ecr_steward.errors import StewardError
from ecr_steward.ports.clock import Clock

FRESH = timedelta(minutes=5)
"""How long what runs is not asked for again: the parts of a sweep that share an invocation's process share it."""
SERVICES_AT_ONCE = 10  # DescribeServices API reference
TASKS_AT_ONCE = 100  # DescribeTasks API reference
COVERAGE_PAGE = 200  # the largest that Inspector takes (ListCoverage API reference)


type _Reading = Callable[[RegistryRef], Iterator[UsedImage]]


class AwsWorkloads:
    """A ``Workloads``. Safe to use from several threads."""

    def __init__(self, clients: AwsClients, accounts: Collection[str], now: Clock) -> None:
        """``accounts`` are all that are connected, our own among them: each is asked in the region in question."""
        self._clients = clients
        self._accounts = sorted(accounts)
        self._now = now
        self._lock = Lock()
        self._known: dict[tuple[str, str], tuple[datetime, tuple[UsedImage, ...] | StewardError]] = {}
        self._definitions: dict[str, tuple[UsedImage, ...]] = {}
        """What task definitions name. A revision never changes."""

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
            now = self._now()
            asked_at, answer = self._known.get((source, region), (now - 2 * FRESH, ()))
            if now - asked_at > FRESH:
                places = [RegistryRef(account, region) for account in self._accounts]
                try:
                    answer = tuple(dict.fromkeys(image for place in places for image in read(place)))
                except StewardError as error:
                    answer = error
                self._known[source, region] = now, answer
        if isinstance(answer, StewardError):
            raise answer.with_traceback(None)  # else every raise would leave its frames there
        return answer

    # ------------------------------------------------------------------ ECS

    def _of_ecs(self, place: RegistryRef) -> Iterator[UsedImage]:
        ecs: Any = self._clients.ecs(place)
        with translated("ecs:ListTaskDefinitions", place):
            definitions = set(all_pages(ecs, "list_task_definitions", "taskDefinitionArns", status="ACTIVE"))
        with translated("ecs:ListClusters", place):
            clusters = list(all_pages(ecs, "list_clusters", "clusterArns"))
        for cluster in clusters:
            # What runs may have been deregistered meanwhile: then it is not active, and runs all the same.
            definitions |= set(_definitions_of_services(ecs, cluster))
            for task in _tasks(ecs, cluster):
                definitions.add(task["taskDefinitionArn"])
                by = f"the task {_name(task['taskArn'])} of ECS in {place}"
                yield from _images(
                    by, ((one.get("image"), one.get("imageDigest")) for one in task.get("containers", ()))
                )
        for arn in sorted(definitions):
            if arn not in self._definitions:
                self._definitions[arn] = tuple(_of_definition(ecs, arn, place))
            yield from self._definitions[arn]

    # ------------------------------------------------------------------ Lambda

    def _of_lambda(self, place: RegistryRef) -> Iterator[UsedImage]:
        functions: Any = self._clients.lambda_(place)
        with translated("lambda:ListFunctions", place):
            listed = list(all_pages(functions, "list_functions", "Functions", FunctionVersion="ALL"))
        for function in listed:
            if function.get("PackageType") != "Image":
                continue
            arn = function["FunctionArn"]
            with translated("lambda:GetFunction", arn):
                try:
                    wanted = {"FunctionName": function["FunctionName"], "Qualifier": function["Version"]}
                    code = functions.get_function(**wanted).get("Code", {})
                except ClientError as cause:
                    if code_of(cause) == "ResourceNotFoundException":
                        continue  # deleted since it was listed
                    raise
            by = f"the function {arn.partition(':function:')[2]} of Lambda in {place}"
            yield from _images(by, ((code.get(key), None) for key in ("ImageUri", "ResolvedImageUri")))


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


def _of_definition(ecs: Any, arn: str, place: RegistryRef) -> Iterator[UsedImage]:
    with translated("ecs:DescribeTaskDefinition", arn):
        described = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    containers = described.get("containerDefinitions", ())
    by = f"the task definition {_name(arn)} of ECS in {place}"
    yield from _images(by, ((one.get("image"), None) for one in containers))


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
