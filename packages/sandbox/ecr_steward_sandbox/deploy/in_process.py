"""boto3 clients whose requests are answered by moto in this process, without a socket.

Each request goes to the same WSGI application that moto's server mode serves, so what a client reads here is what
anybody reads over HTTP. moto's own decorator (``mock_aws``) is not used: it replaces boto3's transport in the whole
process, threads that serve HTTP included, and empties every backend when it starts. Here only these clients are
touched, and they may be used while other threads serve requests: moto guards the creation of its backends with a lock,
and botocore's clients are safe to share between threads.
"""

import os
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, cast

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.session import Session
from moto.core.base_backend import BackendDict
from moto.core.botocore_stubber import MockRawResponse
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.test import Client

from ecr_steward.adapters.clients import service_models

ACCOUNT_HEADER = "x-moto-account-id"
"""moto serves the account that this header names, before it looks at the access key."""


@dataclass(frozen=True)
class Aws:
    """One account in one region of the AWS that moto keeps in this process."""

    account: str
    region: str

    def client(self, service: str) -> Any:
        """A boto3 client; the same one for every call, safe to share between threads."""
        return _client(self.account, self.region, service)


class _Dispatcher(DomainDispatcherApplication):
    """Remembers which service a host is: moto lists its own folder and tries its patterns for every request."""

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._service_of = lru_cache(maxsize=512)(super().get_backend_for_host)

    def get_backend_for_host(self, host: str | None) -> Any:
        return self._service_of(host)


@cache
def moto_app() -> DomainDispatcherApplication:
    """moto's server mode as a WSGI application; one for the process, since its backends are too."""
    return _Dispatcher()


@cache
def session(region: str) -> boto3.Session:
    """A session that reads neither the profile nor the AWS files of the person who runs the sandbox."""
    no_file = (None, None, os.devnull, None)
    variables = {"config_file": no_file, "credentials_file": no_file, "profile": (None, None, None, None)}
    core = Session(session_vars=variables)
    core.register_component("data_loader", service_models())
    return boto3.Session(region_name=region, botocore_session=core)


def reset_moto() -> None:
    """Empty every account and region of moto in this process."""
    BackendDict.reset()


@cache
def _client(account: str, region: str, service: str) -> Any:
    client = cast(Any, session(region)).client(  # the stubs know a client per literal name only
        service,
        aws_access_key_id=account,
        aws_secret_access_key="unused",  # noqa: S106 - moto checks no signature
        config=Config(
            retries={"total_max_attempts": 1},
            inject_host_prefix=False,
            request_checksum_calculation="when_required",  # else S3's bodies come in chunks with a checksum behind them
        ),
    )

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return _answer(request, account)

    # The first hook that answers is taken instead of sending the request; mock_aws, where a test uses it, has one too.
    client.meta.events.register_first("before-send", answer)
    return client


def _answer(request: AWSPreparedRequest, account: str) -> AWSResponse:
    scheme, _, rest = request.url.partition("://")
    host, _, path = rest.partition("/")
    headers = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()}
    answer = Client(moto_app()).open(
        f"/{path}",
        base_url=f"{scheme}://{host}",
        method=request.method,
        headers={**headers, ACCOUNT_HEADER: account},
        data=request.body,
        buffered=True,
    )
    answered = HTTPHeaders()
    for name, value in answer.headers.items():
        answered[name] = value
    return AWSResponse(request.url, answer.status_code, answered, MockRawResponse(answer.data))
