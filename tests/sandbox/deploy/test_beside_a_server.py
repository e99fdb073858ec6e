"""Deploying while moto serves HTTP in the same process, with nothing of boto3 replaced for others."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from moto import mock_aws
from werkzeug.serving import make_server

from ecr_steward_sandbox.deploy import ACCOUNT_HEADER, Aws, Deployment, moto_app, reset_moto

pytestmark = pytest.mark.slow


@pytest.fixture
def served() -> Iterator[str]:
    """moto's own application on a port of this machine."""
    server = make_server("127.0.0.1", 0, moto_app(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join(timeout=5)
    server.server_close()


def test_http_clients_see_the_deployment_when_moto_serves_it(
    served: str, deploy_changed: Callable[..., Deployment]
) -> None:
    sqs = http_client(served, "sqs")
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(lambda: [sqs.list_queues()["ResponseMetadata"]["HTTPStatusCode"] for _ in range(20)])
        deployment = deploy_changed(lambda _: None)
        assert asked.result(timeout=30) == [200] * 20

    queues = sqs.list_queues()["QueueUrls"]

    names = {url.rpartition("/")[2] for url in queues}
    ours = {resource.physical_id.rpartition("/")[2] for resource in deployment.of_type("AWS::SQS::Queue")}
    assert names == ours
    sqs.close()


def test_clients_stay_in_their_account_when_somebody_uses_mock_aws(aws: Aws) -> None:
    with mock_aws():
        reset_moto()
        url = aws.client("sqs").create_queue(QueueName="ours")["QueueUrl"]

    assert url == "https://sqs.us-east-1.amazonaws.com/111122223333/ours"
    reset_moto()


def http_client(endpoint_url: str, service: str) -> Any:
    client: Any = boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="anybody",
        aws_secret_access_key="anything",
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=10),
    )

    def name_account(request: AWSRequest, **_: Any) -> None:
        request.headers[ACCOUNT_HEADER] = "111122223333"

    client.meta.events.register("before-sign", name_account)
    return client
