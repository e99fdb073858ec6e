"""cosign: sign, attach, attest and verify with a key of our own, in both of its ways to store what it makes."""

import json

import pytest

from lab.client_matrix.layout import OCI_INDEX

pytestmark = pytest.mark.client

PLAIN = "--allow-http-registry"
UNLOGGED = ("--tlog-upload=false", "--yes")  # in no public log
UNSEEN = "--insecure-ignore-tlog"
OTHER = "sha256-{}.{}"
"""cosign's name for what it keeps beside an image: the image's digest, and what it is."""


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def cosign(need_program, shell):
    """Runs it, with `key.pub` and `key.key` beside it."""
    program = need_program("cosign", install="apt-get install cosign")
    shell.environment |= {"COSIGN_PASSWORD": "", "COSIGN_EXPERIMENTAL": "1"}
    shell.run(program, "generate-key-pair", "--output-key-prefix", "key")

    def run(*arguments, **options):
        return shell.run(program, *arguments, **options).stdout

    run.refuse = lambda *arguments: shell.refuse(program, *arguments)
    return run


@pytest.fixture
def image(shell, registry, layout, digest, need_program):
    """The image of two platforms in team/app, by its digest."""
    skopeo = need_program("skopeo", install="apt-get install skopeo")
    registry.create("team/app")
    there = f"{registry.host}/team/app"
    shell.run(skopeo, "copy", "--all", "--dest-tls-verify=false", f"oci:{layout.folder}:1.0", f"docker://{there}:1.0")
    return f"{there}@{digest}"


def referrers(registry, digest):
    wanted = {"repositoryName": "team/app", "subjectId": {"imageDigest": digest}}
    return registry.client().list_image_referrers(**wanted)["referrers"]


def test_an_image_is_verified_when_it_is_signed_and_not_before(cosign, registry, image, digest):
    assert "no signatures found" in cosign.refuse("verify", "--key", "key.pub", UNSEEN, PLAIN, image)

    cosign("sign", "--key", "key.key", *UNLOGGED, PLAIN, image)

    [payload] = json.loads(cosign("verify", "--key", "key.pub", UNSEEN, PLAIN, image))
    assert payload["critical"]["image"]["docker-manifest-digest"] == digest
    assert set(registry.digests("team/app")) == {"1.0", OTHER.format(digest.removeprefix("sha256:"), "sig")}


def test_an_image_is_not_verified_when_another_key_signed_it(cosign, image):
    cosign("sign", "--key", "key.key", *UNLOGGED, PLAIN, image)
    cosign("generate-key-pair", "--output-key-prefix", "stranger")
    assert "no matching signatures" in cosign.refuse("verify", "--key", "stranger.pub", UNSEEN, PLAIN, image)


def test_every_platform_is_signed_when_that_is_asked_for(cosign, registry, image, layout, digest):
    cosign("sign", "--key", "key.key", "--recursive", *UNLOGGED, PLAIN, image)
    for signed in (digest, *layout.platforms("1.0").values()):
        by_digest = f"{image.partition('@')[0]}@{signed}"
        [payload] = json.loads(cosign("verify", "--key", "key.pub", UNSEEN, PLAIN, by_digest))
        assert payload["critical"]["image"]["docker-manifest-digest"] == signed


def test_a_signature_is_a_referrer_when_cosign_is_to_use_the_referrers_api(cosign, registry, image, digest):
    cosign("sign", "--key", "key.key", "--registry-referrers-mode=oci-1-1", *UNLOGGED, PLAIN, image)
    [payload] = json.loads(cosign("verify", "--key", "key.pub", "--experimental-oci11", UNSEEN, PLAIN, image))
    assert payload["critical"]["image"]["docker-manifest-digest"] == digest
    assert set(registry.digests("team/app")) == {"1.0"}
    [listed] = referrers(registry, digest)
    assert listed["artifactType"] == "application/vnd.dev.cosign.artifact.sig.v1+json"


def test_an_attestation_is_verified_with_what_it_says(cosign, shell, registry, image, digest):
    (shell.home / "sbom.json").write_text('{"spdxVersion": "SPDX-2.3"}', encoding="utf-8")
    kind = ("--type", "spdxjson")
    cosign("attest", "--key", "key.key", *kind, "--predicate", "sbom.json", *UNLOGGED, PLAIN, image)
    verified = cosign("verify-attestation", "--key", "key.pub", *kind, UNSEEN, PLAIN, image)
    assert json.loads(verified)["payloadType"] == "application/vnd.in-toto+json"
    assert OTHER.format(digest.removeprefix("sha256:"), "att") in registry.digests("team/app")


def test_a_bill_of_materials_is_attached_by_a_tag_and_downloaded(cosign, shell, registry, image, digest):
    (shell.home / "sbom.json").write_text('{"spdxVersion": "SPDX-2.3"}', encoding="utf-8")
    cosign("attach", "sbom", "--sbom", "sbom.json", "--type", "spdx", PLAIN, image)
    assert json.loads(cosign("download", "sbom", PLAIN, image)) == {"spdxVersion": "SPDX-2.3"}
    assert OTHER.format(digest.removeprefix("sha256:"), "sbom") in registry.digests("team/app")


def test_a_bill_of_materials_is_a_referrer_when_cosign_is_to_use_the_referrers_api(
    cosign, shell, registry, image, digest
):
    (shell.home / "sbom.json").write_text('{"spdxVersion": "SPDX-2.3"}', encoding="utf-8")
    attach = ("attach", "sbom", "--sbom", "sbom.json", "--type", "spdx", "--registry-referrers-mode=oci-1-1")
    cosign(*attach, PLAIN, image)
    [listed] = referrers(registry, digest)
    assert listed["artifactType"] == "application/vnd.dev.cosign.artifact.sbom.v1+json"
    assert set(registry.digests("team/app")) == {"1.0"}


def test_a_signature_made_elsewhere_is_attached_and_verified(cosign, shell, image):
    payload = cosign("generate", PLAIN, image)
    (shell.home / "payload.json").write_text(payload, encoding="utf-8")
    signature = cosign("sign-blob", "--key", "key.key", "--tlog-upload=false", "--yes", "payload.json")
    (shell.home / "signature").write_text(signature, encoding="utf-8")
    cosign("attach", "signature", "--payload", "payload.json", "--signature", "signature", PLAIN, image)
    assert json.loads(cosign("verify", "--key", "key.pub", UNSEEN, PLAIN, image)) == [json.loads(payload)]


def test_a_copy_takes_the_signature_along_and_clean_removes_it(cosign, registry, image, digest):
    cosign("sign", "--key", "key.key", *UNLOGGED, PLAIN, image)
    registry.create("team/copy")
    tagged, copy = f"{image.partition('@')[0]}:1.0", f"{registry.host}/team/copy:1.0"

    cosign("copy", PLAIN, tagged, copy)
    cosign("clean", "--force", PLAIN, tagged)

    assert cosign("verify", "--key", "key.pub", UNSEEN, PLAIN, copy)
    assert registry.digests("team/copy")["1.0"] == digest
    assert set(registry.digests("team/app")) == {"1.0"}
    [copied] = registry.client().batch_get_image(repositoryName="team/copy", imageIds=[{"imageTag": "1.0"}])["images"]
    assert copied["imageManifestMediaType"] == OCI_INDEX


def test_a_signature_is_refused_when_the_tag_that_it_has_is_immutable(cosign, registry, image):
    cosign("sign", "--key", "key.key", *UNLOGGED, PLAIN, image)
    registry.client().put_image_tag_mutability(repositoryName="team/app", imageTagMutability="IMMUTABLE")
    cosign("generate-key-pair", "--output-key-prefix", "second")
    said = cosign.refuse("sign", "--key", "second.key", *UNLOGGED, PLAIN, image)
    assert "already exists in the 'team/app' repository and cannot be overwritten because the tag is immutable" in said


def test_cosign_shows_what_ecr_says_when_a_push_is_refused(cosign, registry, image, refusals):
    for refusal in refusals:
        if "immutable" not in refusal.says:  # cosign looks before it writes, and asks for --force
            assert refusal.says in cosign.refuse("copy", PLAIN, image, f"{registry.host}/{refusal.reference}")


def test_a_signature_is_refused_when_nobody_is_logged_in(cosign, shell, image):
    shell.log_out()
    assert "UNAUTHORIZED" in cosign.refuse("sign", "--key", "key.key", *UNLOGGED, PLAIN, image).upper()
