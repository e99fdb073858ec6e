"""What a seeding makes, and what it leaves alone; it costs some 300 ms."""

import gzip
import hashlib
import io
import json
import tarfile
from datetime import timedelta

import pytest

from local_ecr import EcrError, Registry, SeededImages
from local_ecr.images import push

HERE = Registry("111122223333", "us-east-1")
TEAM_APP = {"repositoryName": "team/app"}


def images_of(ecr, **of_repository):
    return ecr.describe_images(**(of_repository or TEAM_APP))["imageDetails"]


def manifest_of(stand, image_tag):
    return stand.distribution().send("GET", f"manifests/{image_tag}").json()


def test_tags_sizes_and_push_times_are_those_that_were_asked_for(stand, ecr):
    before = stand.clock()
    images = SeededImages(count=5, image_tag="1.{}.0", age=timedelta(days=8), layer_bytes=(100, 50_000))
    stand.ecr.seed(HERE, ["team/app"], images)

    found = images_of(ecr)

    assert [one["imageTags"] for one in found] == [[f"1.{number}.0"] for number in range(5)]
    assert [one["imageSizeInBytes"] > 50_000 for one in found] == [False, True, False, True, False]
    ages = [(before - one["imagePushedAt"]) / timedelta(days=1) for one in found]
    assert ages == pytest.approx([8, 6, 4, 2, 0], abs=0.001)
    [repository] = ecr.describe_repositories()["repositories"]
    assert repository["createdAt"] == found[0]["imagePushedAt"]


def test_an_index_lists_an_image_of_each_platform_which_are_untagged(stand, ecr):
    stand.ecr.seed(HERE, ["team/app"], SeededImages(count=3, platforms=2))

    index = manifest_of(stand, "v1")

    assert [one["platform"]["architecture"] for one in index["manifests"]] == ["amd64", "arm64"]
    found = images_of(ecr)
    assert [one.get("imageTags") for one in found] == [None, None, ["v0"], None, None, ["v1"], None, None, ["v2"]]
    assert [one["digest"] for one in index["manifests"]] == [one["imageDigest"] for one in found[3:5]]
    assert len({one["imageDigest"] for one in found}) == 9


def test_a_client_finds_labels_in_the_config_and_a_file_in_the_layer_that_it_can_unpack(stand):
    labels = {"org.opencontainers.image.vendor": "Team A", "empty": ""}
    stand.ecr.seed(HERE, ["team/app"], SeededImages(count=1, layer_bytes=[20_000], labels=labels))
    app, manifest = stand.distribution(), manifest_of(stand, "v0")
    config, layer = (
        app.send("GET", f"blobs/{one['digest']}").data for one in (manifest["config"], *manifest["layers"])
    )

    assert json.loads(config)["config"] == {"Labels": labels}
    unpacked = gzip.decompress(layer)
    assert json.loads(config)["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(unpacked).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
        [entry] = archive.getmembers()
    assert (entry.isfile(), entry.size) == (True, 20_000)
    assert [
        (one["size"], len(blob)) for one, blob in ((manifest["config"], config), (manifest["layers"][0], layer))
    ] == [
        (len(config), len(config)),
        (len(layer), len(layer)),
    ]
    assert len(layer) > 20_000


def test_a_seeding_that_was_interrupted_is_continued_and_what_is_there_stays(stand, ecr):
    stand.ecr.seed(HERE, ["team/app"], SeededImages(count=4, platforms=2))
    before = images_of(ecr)
    stand.clock.ahead += timedelta(days=1)

    for _ in range(2):
        stand.ecr.seed(HERE, ["team/app", "team/web"], SeededImages(count=7, platforms=2))

    assert images_of(ecr)[:12] == before
    assert [len(images_of(ecr, repositoryName=name)) for name in ("team/app", "team/web")] == [21, 21]


def test_an_image_tag_stays_where_a_push_has_put_it(stand, ecr, team_app):
    pushed = team_app.push_image("pushed", "v1")

    stand.ecr.seed(HERE, ["team/app"], SeededImages(count=3))

    by_digest = {one["imageDigest"]: one.get("imageTags") for one in images_of(ecr)}
    assert by_digest.pop(pushed) == ["v1"]
    assert list(by_digest.values()) == [["v0"], None, ["v2"]]


def test_a_repository_has_images_of_its_own_and_shares_their_layers(stand, ecr):
    stand.ecr.seed(HERE, ["team/app", "team/web"], SeededImages(count=2))

    digests = [{one["imageDigest"] for one in images_of(ecr, repositoryName=name)} for name in ("team/app", "team/web")]

    assert not digests[0] & digests[1]
    assert len(list(stand.data.glob("*/*/blobs/*/*"))) == 2


def test_images_are_scanned_where_the_repository_says_so(stand, ecr):
    ecr.create_repository(**TEAM_APP, imageScanningConfiguration={"scanOnPush": True})

    stand.ecr.seed(HERE, ["team/app"], SeededImages(count=1))

    scan = ecr.describe_image_scan_findings(**TEAM_APP, imageId={"imageTag": "v0"})
    assert scan["imageScanStatus"]["status"] == "IN_PROGRESS"


def test_nothing_is_seeded_beyond_the_quota_of_images(stand, ecr, team_app, monkeypatch):
    monkeypatch.setattr(push, "MAX_IMAGES", 4)
    team_app.push_image("pushed", "pushed")

    with pytest.raises(EcrError, match="LimitExceededException"):
        stand.ecr.seed(HERE, ["team/app"], SeededImages(count=4))

    assert len(images_of(ecr)) == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"count": 100_001}, "a repository has 0 to 100,000 images and indexes, not 100,001"),
        ({"count": 33_334, "platforms": 2}, "a repository has 0 to 100,000 images and indexes, not 100,002"),
        ({"count": -1}, "a repository has 0 to 100,000 images and indexes, not -1"),
        ({"platforms": 7}, "an index is seeded with 0 to 6 platforms, not 7"),
        ({"count": 2, "image_tag": "latest"}, "'latest' has no {}: 2 images need tags of their own"),
        ({"count": 1, "image_tag": "-{}"}, "'-{}' makes no image tag: at most 300 letters"),
        ({"count": 1, "image_tag": "v" * 300 + "{}"}, "makes no image tag: at most 300 letters"),
        ({"age": timedelta(seconds=-1)}, "the first push is 0 to 36,500 days ago, not -1 day, 23:59:59"),
        ({"layer_bytes": ()}, "a layer is seeded with 0 to 1,073,741,824 bytes, not []"),
        ({"layer_bytes": (1, -1)}, "a layer is seeded with 0 to 1,073,741,824 bytes, not [1, -1]"),
    ],
)
def test_what_cannot_be_seeded_is_refused_with_the_reason(wanted, told):
    with pytest.raises(ValueError) as refused:
        SeededImages(**wanted)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    "wanted", [{"count": 100_000}, {"count": 33_333, "platforms": 2}, {"count": 1, "image_tag": "latest"}]
)
def test_as_many_images_as_fit_and_one_of_any_tag_are_accepted(wanted):
    assert SeededImages(**wanted).digests <= 100_000


def test_nothing_is_seeded_where_one_of_the_names_is_invalid(stand, ecr):
    with pytest.raises(ValueError, match="not a repository name: 'Team/App'"):
        stand.ecr.seed(HERE, ["team/app", "Team/App"])

    assert ecr.describe_repositories()["repositories"] == []
