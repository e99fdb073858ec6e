"""Clients follow the pages of a repository's image tags, whose links are absolute and whose order is not by name."""

import json
import shutil
import subprocess

import pytest

NAMES = [f"v{number * 37 % 113:03}" for number in range(113)]
COMMANDS = {
    "skopeo": ["list-tags", "--tls-verify=false", "--creds", "AWS:{password}", "docker://{host}/team/app"],
    "oras": ["repo", "tags", "--plain-http", "--username", "AWS", "--password", "{password}", "{host}/team/app"],
}


def listed(client, output):
    return json.loads(output)["Tags"] if client == "skopeo" else output.split()


@pytest.mark.slow
@pytest.mark.parametrize("client", COMMANDS)
def test_a_client_lists_every_tag_of_more_than_one_page(local_ecr, client):
    if shutil.which(client) is None:
        pytest.skip(f"{client} is not installed")
    ecr = local_ecr.client()
    ecr.create_repository(repositoryName="team/app")
    for name in NAMES:
        index = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [],
            "annotations": {"name": name},
        }
        ecr.put_image(repositoryName="team/app", imageManifest=json.dumps(index), imageTag=name)
    words = {"host": local_ecr.registry_host(), "password": local_ecr.password()}
    command = [client, *(one.format(**words) for one in COMMANDS[client])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert sorted(listed(client, done.stdout)) == sorted(NAMES)
