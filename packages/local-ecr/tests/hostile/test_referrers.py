"""Referrers that lead back, in chains, by the thousand, with megabytes of annotations: every walk of them ends."""

import json
from datetime import timedelta

import pytest

from local_ecr.images.referrers import MAX_PAGE_BYTES
from local_ecr.lifecycle.plan import ImageFacts, Step, followers
from local_ecr.lifecycle.policy import EXPIRE
from tests.conftest import OCI_INDEX, OCI_MANIFEST
from tests.hostile.victim import ELSEWHERE, NOWHERE, REPOSITORY, attacked, descriptor, encoded, index_of

REFERRERS = f"/v2/{REPOSITORY}/referrers/"
MOST_PAGES = 1000
DESTINATION = {"region": ELSEWHERE, "registryId": "111122223333"}
COPIES = {"rules": [{"destinations": [DESTINATION], "deleteReplication": {"enabled": True}}]}
EXPIRES = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
    "action": {"type": "expire"},
}


def referrer_of(victim, subject, text="", media_type=OCI_MANIFEST, **members):
    return victim.image(text, subject=descriptor(subject, media_type), artifactType="text/x", **members)


def pages_of(victim, subject):
    """The digests of every page of the referrers of a digest; each page is smaller than a client has to read."""
    pages, target = [], REFERRERS + subject
    while target:
        assert len(pages) < MOST_PAGES
        answer = victim.v2.send("GET", target)
        assert answer.status == 200
        pages.append([one["digest"] for one in answer.json()["manifests"]])
        assert len(answer.body) <= MAX_PAGE_BYTES or len(pages[-1]) == 1
        target = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    return pages


def listed_by_api(victim, subject):
    found, token = [], None
    for _ in range(MOST_PAGES):
        asked = {"repositoryName": REPOSITORY, "subjectId": {"imageDigest": subject}}
        answer = victim.api.call("ListImageReferrers", asked | ({"nextToken": token} if token else {})).json()
        found.append([one["digest"] for one in answer["referrers"]])
        token = answer.get("nextToken")
        if token is None:
            return found
    raise AssertionError("pages without end")


def push_family(victim):
    """All the ways in which a referrer can lead back to what its subject belongs to, and hashes allow.

    An index lists a child and the child's referrer, and is itself a referrer of that referrer; a second index lists the
    first one, and is a referrer of the child that all of them end at.
    """
    child = victim.push(victim.image("child"))
    signature = victim.push(referrer_of(victim, child, "signature"))
    of_signature = victim.push(referrer_of(victim, signature, "signature of the signature"))
    inner = victim.push(
        index_of(descriptor(child), descriptor(signature), subject=descriptor(signature), artifactType="text/x"),
        "inner",
    )
    listed = [descriptor(inner, OCI_INDEX), descriptor(of_signature)]
    outer = victim.push(index_of(*listed, subject=descriptor(child), artifactType="text/x"), "outer")
    of_outer = victim.push(referrer_of(victim, outer, "of the outer index", OCI_INDEX))
    return [child, signature, of_signature, inner, outer, of_outer]


@pytest.fixture
def family(victim):
    members = push_family(victim)
    yield members
    for digest in [*reversed(members), *reversed(members)]:
        victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")


def test_referrers_that_lead_back_are_listed_once(victim, family):
    child, signature, of_signature, inner, outer, of_outer = family
    assert pages_of(victim, child) == listed_by_api(victim, child) == [[signature, outer]]
    assert pages_of(victim, signature) == listed_by_api(victim, signature) == [[of_signature, inner]]
    assert pages_of(victim, outer) == [[of_outer]]


def test_referrers_that_lead_back_are_deleted_one_by_one(victim, family):
    """What an index lists is kept, whatever it refers to; what only refers is not."""
    child, signature, of_signature, inner, outer, of_outer = family
    manifests = f"/v2/{REPOSITORY}/manifests/"
    for kept in (child, signature, inner, of_signature):
        assert victim.v2.send("DELETE", manifests + kept).code == "DENIED"
    for digest in (outer, of_outer, inner, child, of_signature, signature):
        assert victim.v2.send("DELETE", manifests + digest).status == 202


def images_after(victim, days, name=REPOSITORY):
    """Set a policy that expires all that is older than a day, let so many days go by, and see what is left."""
    asked = {"repositoryName": name, "lifecyclePolicyText": json.dumps({"rules": [EXPIRES]})}
    assert victim.api.call("PutLifecyclePolicy", asked).status == 200
    for _ in range(days):
        victim.stand.clock.ahead += timedelta(days=1)
        victim.stand.ecr.run_due()
    left = victim.api.call("ListImages", {"repositoryName": name, "maxResults": 1000}).json()["imageIds"]
    return {one["imageDigest"] for one in left}


def test_a_circle_of_referrers_and_indexes_keeps_itself_and_no_run_is_endless(tmp_path):
    """An index keeps what it lists, and goes with its subject: of a circle nothing can be the first to go."""
    with attacked(tmp_path) as victim:
        members = push_family(victim)
        assert images_after(victim, 4) == set(members)


def test_referrers_go_with_what_they_lead_back_to_and_their_bits_are_collected(tmp_path):
    with attacked(tmp_path) as victim:
        child = victim.push(victim.image("child"))
        outer = victim.push(index_of(descriptor(child)), "outer")
        chain = [victim.push(referrer_of(victim, outer, "0", OCI_INDEX))]
        for number in range(1, 9):
            chain.append(victim.push(referrer_of(victim, chain[-1], f"{number}")))
        victim.push(referrer_of(victim, child, "of the child"))
        assert images_after(victim, 4) == set()
        assert list(victim.blob_path(NOWHERE).parent.iterdir()) == []


def copy_by(victim, rules):
    assert victim.api.call("PutReplicationConfiguration", {"replicationConfiguration": rules}).status == 200


def test_referrers_that_lead_back_are_copied_and_removed_again(victim, family):
    copy_by(victim, COPIES)
    elsewhere = victim.wire(ELSEWHERE)
    try:
        asked = {"repositoryName": REPOSITORY, "imageIds": [{"imageTag": "outer"}]}
        manifest = victim.api.call("BatchGetImage", asked).json()["images"][0]["imageManifest"]
        assert victim.put(manifest.encode(), "again", OCI_INDEX).status == 201
        victim.stand.ecr.wait_until_idle(30)
        for digest in family[:5]:
            assert elsewhere.send("HEAD", f"/v2/{REPOSITORY}/manifests/{digest}").status == 200
        for name in ("again", "outer", "inner"):
            assert victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{name}").status == 202
        victim.stand.ecr.wait_until_idle(30)
        assert elsewhere.send("HEAD", f"/v2/{REPOSITORY}/manifests/{family[4]}").status == 404
    finally:
        copy_by(victim, {"rules": []})


def test_a_subject_that_is_the_manifest_itself_or_nothing_is_only_a_name(victim):
    """No manifest can hold its own digest. What claims so refers to something that is not there, and may come."""
    digest = victim.push(referrer_of(victim, NOWHERE, "claims to be its own"))
    assert pages_of(victim, NOWHERE) == [[digest]]
    assert pages_of(victim, digest) == [[]]
    assert victim.put(referrer_of(victim, NOWHERE, "as itself"), NOWHERE).code == "MANIFEST_INVALID"
    assert victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}").status == 202
    assert pages_of(victim, NOWHERE) == [[]]


def test_a_page_of_referrers_is_no_larger_than_a_client_reads_GHSA_f36w_mj3v_6jqv(victim):
    """GHSA-f36w-mj3v-6jqv: oras-go read any index of referrers; its remedy cut off honest ones (oras-go#1223)."""
    subject = victim.push(victim.image("with heavy referrers"))
    heavy = [victim.push(referrer_of(victim, subject, annotations={"x": f"{number}" * 900_000})) for number in range(6)]
    light = [victim.push(referrer_of(victim, subject, f"light {number}")) for number in range(3)]
    pages = pages_of(victim, subject)
    assert [len(page) for page in pages] == [4, 5]
    assert [digest for page in pages for digest in page] == [*heavy, *light]
    assert listed_by_api(victim, subject) == pages


@pytest.mark.parametrize(
    "after",
    ["", "x", "1", "-1", "%00", "a" * 3000, "..", "%ff"],
    ids=["none", "x", "1", "-1", "NUL", "long", "..", "ff"],
)
def test_a_page_of_referrers_begins_where_one_ended_or_nowhere(victim, after):
    answer = victim.v2.send("GET", f"{REFERRERS}{NOWHERE}?after={after}")
    assert (answer.status, answer.code) == (400, "UNSUPPORTED")


def test_a_long_chain_of_referrers_is_walked_to_its_end():
    facts = [
        ImageFacts(
            id=number,
            digest=f"{number}",
            image_tags=(),
            pushed_at=0.0,
            storage_class="STANDARD",
            subject=f"{number - 1}",
        )
        for number in range(1, 10_000)
    ]
    gone = followers(reversed(facts), [Step(facts[0], EXPIRE, 1)])
    assert [step.image.id for step in gone] == list(range(2, 10_000))


@pytest.mark.slow
def test_ten_thousand_referrers_of_one_subject_are_paged_and_expire_with_it(tmp_path):
    with attacked(tmp_path) as victim:
        require_ten_thousand(victim)


def require_ten_thousand(victim):
    name = "fuzz/many"
    victim.api.call("CreateRepository", {"repositoryName": name})
    config = victim.image("many", name)
    subject = victim.push(config, "subject", name)
    for number in range(10_050):
        referrer = {**config, "subject": descriptor(subject), "annotations": {"n": str(number)}}
        asked = {"repositoryName": name, "imageManifest": encoded(referrer).decode()}
        assert victim.api.call("PutImage", asked).status == 200
    found, target = set(), f"/v2/{name}/referrers/{subject}"
    while target:
        answer = victim.v2.send("GET", target)
        found |= {one["digest"] for one in answer.json()["manifests"]}
        target = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    assert len(found) == 10_050
    assert images_after(victim, 2, name) == set()
