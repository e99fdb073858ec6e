"""What `local-ecr` says when it is there: lines for scripts, and what a person types in another terminal."""

from __future__ import annotations

from collections.abc import Sequence

from local_ecr.names import Registry
from local_ecr.server import LocalEcrServer


def ready_lines(server: LocalEcrServer, registries: Sequence[Registry]) -> str:
    """What is where, one in a line; a script waits for the last of them."""
    lines = [f"ready endpoint {server.endpoint_url}"]
    lines += [f"ready registry {named(one)} {server.registry_url(one.account, one.region)}" for one in registries]
    if server.ca_file is not None:
        lines += [f"ready proxy {server.proxy_url}", f"ready ca {server.ca_file.resolve()}"]
    return "".join(f"{line}\n" for line in lines)


def next_steps(server: LocalEcrServer, registry: Registry) -> str:
    """What to export, and the first commands, for a shell."""
    region, ca_file = registry.region, server.ca_file
    host = server.registry_url(registry.account, region).partition("://")[2]
    trust = f"  export AWS_CA_BUNDLE={ca_file.resolve()} SSL_CERT_FILE={ca_file.resolve()}\n" if ca_file else ""
    return f"""
In another terminal (Ctrl-C in this one ends it):

  export AWS_ENDPOINT_URL_ECR={server.endpoint_url} AWS_REGION={region} AWS_DEFAULT_REGION={region}
  export AWS_ACCESS_KEY_ID={registry.account} AWS_SECRET_ACCESS_KEY=any
{trust}
  aws ecr create-repository --repository-name team/app
  aws ecr get-login-password | docker login --username AWS --password-stdin {host}
  docker tag IMAGE {host}/team/app:1.0 && docker push {host}/team/app:1.0

"""


def named(registry: Registry) -> str:
    """As `--registry` takes it."""
    return f"{registry.account}/{registry.region}"
