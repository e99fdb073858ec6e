"""Our own listing of image tags follows pages as ECR gives them: absolute links, no order by name."""

import json
from pathlib import Path

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.names import ImageTag
from local_ecr import LocalEcr, LocalEcrServer, Quirks

INDEX = "application/vnd.oci.image.index.v1+json"
TAGS = [f"v{number * 37 % 113:03}" for number in range(113)]


def test_every_image_tag_is_listed_once_over_the_pages_of_ecr(tmp_path: Path) -> None:
    ecr = LocalEcr(tmp_path, quirks=Quirks.parse("none,tags_page_by_token,tags_default_page"))
    with LocalEcrServer(ecr, [("111122223333", "us-east-1")]) as server:
        client = DistributionClient(server.registry_url("111122223333", "us-east-1"), lambda: "", is_ecr=True)
        for image_tag in TAGS:
            index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": {"name": image_tag}}
            client.put_manifest("team/app", ImageTag(image_tag), json.dumps(index).encode(), INDEX)
        assert list(client.image_tags("team/app")) == TAGS
