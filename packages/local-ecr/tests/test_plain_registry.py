"""What a registry without quirks still asks for, keeps and refuses."""

from local_ecr import Quirks

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NOWHERE = "sha256:" + "0" * 64


def code_of(answer):
    return answer.status, answer.json()["errors"][0]["code"]


def test_no_blob_is_mounted_from_a_repository_that_the_caller_may_not_read(make_stand):
    stand = make_stand(quirks=Quirks.none())
    for name in ("team/app", "team/other"):
        stand.client().create_repository(repositoryName=name)
    digest = stand.distribution().push_blob(b"secret")
    stand.trust("444455556666", "ecr:*", repository_name="team/other")
    guest, other = stand.token(account="444455556666"), stand.distribution(repository_name="team/other")
    for query in ("&from=team/app", ""):
        assert other.send("POST", f"blobs/uploads/?mount={digest}{query}", token=guest).status == 202
    assert other.send("HEAD", f"blobs/{digest}").status == 404
    assert other.send("POST", f"blobs/uploads/?mount={digest}&from=team/app").status == 201


def test_anybody_is_the_account_when_no_authorization_is_required_but_a_token_still_says_who(make_stand):
    stand = make_stand(quirks=Quirks.none())
    stand.client().create_repository(repositoryName="team/app")
    app = stand.distribution()
    assert app.send("POST", "blobs/uploads/", token="").status == 202
    assert app.send("POST", "blobs/uploads/", token="bm9ib2R5OmF0IGFsbA==").status == 202
    assert app.send("POST", "blobs/uploads/", token=stand.token(account="444455556666")).status == 403


def test_a_layer_that_an_image_is_made_of_is_not_deleted(make_stand):
    stand = make_stand(quirks=Quirks.none())
    app = stand.distribution()
    digest = app.push_blob(b"hello")
    image = app.refer_to(digest)
    assert app.send("DELETE", f"blobs/{digest}").status == 405
    assert app.send("DELETE", f"manifests/{image}").status == 202
    assert app.send("DELETE", f"blobs/{digest}").status == 202


def test_an_index_keeps_the_blobs_that_it_lists(make_stand):
    stand = make_stand(quirks=Quirks.none())
    app = stand.distribution()
    digest = app.push_blob(b"cache")
    entry = {"mediaType": "application/vnd.buildkit.cacheconfig.v0", "digest": digest, "size": 5}
    assert app.push_manifest("cache", {"schemaVersion": 2, "manifests": [entry]}, OCI_INDEX).status == 201
    assert app.send("DELETE", f"blobs/{digest}").status == 405
    missing = {**entry, "digest": NOWHERE}
    refused = app.push_manifest("more", {"schemaVersion": 2, "manifests": [entry, missing]}, OCI_INDEX)
    assert code_of(refused) == (400, "MANIFEST_BLOB_UNKNOWN")
