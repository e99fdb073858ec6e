"""What an account may have, which trail records it, and what its Lambda layers hold: answers that moto has not."""

import io
import zipfile

import pytest
import urllib3
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def box(start, new_template):
    """A function with a Lambda layer, and a queue that it reads."""
    template = new_template()
    template.layer("Rules", {"rulebook.json": "{}", "more/notes.txt": "x"})
    template.parameters["Accounts"] = {"Type": "CommaDelimitedList", "Default": "a,b"}
    template.queue("Work")
    events = {"Work": {"Type": "SQS", "Properties": {"Queue": template.arn("Work")}}}
    template.function("Worker", Layers=[template.ref("Rules")], Events=events)
    return start(template)


def test_the_account_settings_count_what_is_reserved(box):
    client, name = box.sandbox.client("lambda"), box.sandbox.deployment.resources["Worker"].physical_id
    before = client.get_account_settings()["AccountLimit"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=100)
    after = client.get_account_settings()
    client.delete_function_concurrency(FunctionName=name)
    assert (before["ConcurrentExecutions"], before["UnreservedConcurrentExecutions"]) == (1000, 1000)
    assert after["AccountLimit"]["UnreservedConcurrentExecutions"] == 900
    assert after["AccountUsage"]["FunctionCount"] == 1


def test_service_quotas_know_how_many_repositories_there_may_be(box):
    quota = box.sandbox.client("service-quotas").get_service_quota(ServiceCode="ecr", QuotaCode="L-CFEB8E8D")["Quota"]
    assert (quota["QuotaName"], quota["Value"], quota["Adjustable"]) == ("Registered repositories", 100_000.0, True)


@pytest.mark.parametrize(("service", "code"), [("ecr", "L-00000000"), ("sqs", "L-75826ACE")])
def test_service_quotas_refuse_what_they_do_not_know(box, service, code):
    with pytest.raises(ClientError) as refused:
        box.sandbox.client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    assert refused.value.response["Error"]["Code"] == "NoSuchResourceException"


def test_a_trail_records_every_region_when_cloudtrail_is_first_asked(box):
    client = box.sandbox.client("cloudtrail")
    (trail,) = client.describe_trails()["trailList"]
    (selector,) = client.get_event_selectors(TrailName=trail["TrailARN"])["EventSelectors"]
    assert (trail["IsMultiRegionTrail"], trail["HomeRegion"]) == (True, "us-east-1")
    assert client.get_trail_status(Name=trail["TrailARN"])["IsLogging"] is True
    assert (selector["ReadWriteType"], selector["IncludeManagementEvents"]) == ("All", True)


def test_a_trail_that_was_deleted_does_not_come_back(box):
    client = box.sandbox.client("cloudtrail", "us-east-1", "222233334444")
    (trail,) = client.describe_trails()["trailList"]
    client.delete_trail(Name=trail["Name"])
    assert client.describe_trails()["trailList"] == []


def test_the_content_of_a_layer_lies_at_the_address_that_lambda_lends(box):
    name, version = box.sandbox.deployment.of_type("AWS::Lambda::LayerVersion")[0].physical_id.split(":")[-2:]
    answer = box.sandbox.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(version))
    content = urllib3.request("GET", answer["Content"]["Location"])
    assert content.status == 200
    with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
        assert sorted(archive.namelist()) == ["more/notes.txt", "rulebook.json"]


def test_the_content_of_a_layer_is_what_was_published_since(box):
    client, zipped = box.sandbox.client("lambda"), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("rulebook.json", "{}")
    published = client.publish_layer_version(LayerName="another", Content={"ZipFile": zipped.getvalue()})
    answer = client.get_layer_version(LayerName="another", VersionNumber=published["Version"])
    with zipfile.ZipFile(io.BytesIO(urllib3.request("GET", answer["Content"]["Location"]).data)) as archive:
        assert archive.namelist() == ["rulebook.json"]


def test_a_function_says_where_it_logs(box):
    name = box.sandbox.deployment.resources["Worker"].physical_id
    client = box.sandbox.client("lambda")
    asked = {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    assert client.get_function_configuration(FunctionName=name)["LoggingConfig"] == asked
    assert client.get_function(FunctionName=name)["Configuration"]["LoggingConfig"] == asked


def test_a_mapping_that_is_not_there_is_refused_by_its_code(box):
    with pytest.raises(ClientError) as refused:
        box.sandbox.client("lambda").get_event_source_mapping(UUID="5f8a1c2e-0000-0000-0000-000000000000")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_stack_says_its_list_parameters_as_they_were_given_and_that_it_was_never_checked_for_drift(box):
    (stack,) = box.sandbox.client("cloudformation").describe_stacks(StackName=box.sandbox.deployment.stack_name)[
        "Stacks"
    ]
    assert stack["Parameters"] == [{"ParameterKey": "Accounts", "ParameterValue": "a,b"}]
    assert stack["DriftInformation"]["StackDriftStatus"] == "NOT_CHECKED"


def test_lambda_stops_loops_unless_the_function_allows_them(box):
    client, name = box.sandbox.client("lambda"), box.sandbox.deployment.resources["Worker"].physical_id
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert client.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"


def test_a_loop_of_no_function_is_refused(box):
    with pytest.raises(ClientError) as refused:
        box.sandbox.client("lambda").get_function_recursion_config(FunctionName="none")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"
