"""What ECR answers when it refuses, in ECR's own words. Both faces render the same error, each in its form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class EcrError(Exception):
    """A refusal: the name of the exception in ECR's API, its message, its HTTP status and further members."""

    def __init__(self, code: str, message: str, *, status: int = 400, members: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.members = dict(members or {})


def invalid_parameter(parameter: str, constraint: str) -> EcrError:
    return EcrError(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'",
    )


def repository_not_found(repository_name: str, account: str) -> EcrError:
    return EcrError(
        "RepositoryNotFoundException",
        f"The repository with name '{repository_name}' does not exist in the registry with id '{account}'",
    )


def image_not_found(repository_name: str, account: str, digest: str | None, image_tag: str | None) -> EcrError:
    wanted = f"{{imageDigest:'{digest or 'null'}', imageTag:'{image_tag or 'null'}'}}"
    return EcrError(
        "ImageNotFoundException",
        f"The image with imageId {wanted} does not exist within the repository with name '{repository_name}' "
        f"in the registry with id '{account}'",
    )


def layers_not_found(digests: Iterable[str], repository_name: str, account: str) -> EcrError:
    return EcrError(
        "LayersNotFoundException",
        f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{repository_name}' in the registry with id '{account}' do not exist",
    )


def referenced_images_not_found(digests: Iterable[str], repository_name: str, account: str) -> EcrError:
    return EcrError(
        "ReferencedImagesNotFoundException",
        f"Images with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
        f"'{repository_name}' in the registry with id '{account}' do not exist",
    )


def image_already_exists(digest: str, image_tag: str | None, repository_name: str, account: str) -> EcrError:
    tagged = f" and tag '{image_tag}'" if image_tag else ""
    return EcrError(
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}'{tagged} already exists in the repository with name '{repository_name}' "
        f"in registry with id '{account}'",
    )


def image_tag_already_exists(image_tag: str, repository_name: str) -> EcrError:
    return EcrError(
        "ImageTagAlreadyExistsException",
        f"The image tag '{image_tag}' already exists in the '{repository_name}' repository and cannot be overwritten "
        "because the tag is immutable.",
    )


def too_many_images(repository_name: str, account: str, most: int) -> EcrError:
    """In the words of github.com/semaphoreci/docs/issues/404."""
    return EcrError(
        "LimitExceededException",
        f"The repository with name '{repository_name}' in registry with id '{account}' already has the maximum "
        f"allowed number of images which is '{most}'",
    )


def too_many_image_tags(image_tag: str, repository_name: str, account: str, most: int) -> EcrError:
    """In the words of github.com/namespacelabs/foundation/issues/649."""
    return EcrError(
        "LimitExceededException",
        f"Adding tag '{image_tag}' to an image in the repository with name '{repository_name}' in registry with id "
        f"'{account}' exceeds the maximum allowed number of tags per image which is '{most}'",
    )


def too_many_repositories(account: str, most: int) -> EcrError:
    """The code is CreateRepository's in the API model; in which words ECR says it is not known."""
    return EcrError(
        "LimitExceededException",
        f"The registry with id '{account}' already has the maximum allowed number of repositories which is '{most}'",
    )


def rate_exceeded() -> EcrError:
    """In ECR's words and with its status: github.com/concourse/docker-image-resource/issues/115."""
    return EcrError("ThrottlingException", "Rate exceeded")


def digest_does_not_match(given: str, calculated: str) -> EcrError:
    return EcrError(
        "ImageDigestDoesNotMatchException",
        f"The provided digest '{given}' does not match the image digest that Amazon ECR has calculated '{calculated}'",
    )


def scan_not_found(repository_name: str, account: str, digest: str | None, image_tag: str | None) -> EcrError:
    wanted = f"{{imageDigest:'{digest or 'null'}', imageTag:'{image_tag or 'null'}'}}"
    return EcrError(
        "ScanNotFoundException",
        f"Image scan does not exist for the image with '{wanted}' in the repository with name '{repository_name}' "
        f"in the registry with id '{account}'",
    )


def image_type_not_supported(media_type: str) -> EcrError:
    """In ECR's words: github.com/docker/setup-buildx-action/issues/186."""
    return EcrError(
        "UnsupportedImageTypeException",
        f"An artifact with media type '{media_type}' cannot be scanned. For more information, see the Amazon ECR "
        "documentation.",
    )


def upload_not_found(upload_id: str, repository_name: str, account: str) -> EcrError:
    return EcrError(
        "UploadNotFoundException",
        f"The upload with id '{upload_id}' does not exist in the repository with name '{repository_name}' "
        f"in the registry with id '{account}'",
    )


def empty_upload(upload_id: str, repository_name: str, account: str) -> EcrError:
    """In ECR's words: github.com/radius-project/radius/issues/7855, github.com/devcontainers/cli/issues/814."""
    return EcrError(
        "EmptyUploadException",
        f"The upload with id '{upload_id}' in the repository with name '{repository_name}' in registry with id "
        f"'{account}' cannot be completed because it does not have any parts",
    )


def upload_in_use(upload_id: str) -> EcrError:
    return EcrError(
        "InvalidParameterException", f"The upload with id '{upload_id}' is being written by another request", status=409
    )


def server_error() -> EcrError:
    """What a caller sees of a fault of our own; the traceback is in the log."""
    return EcrError("ServerException", "An internal error occurred; the server's log has the traceback", status=500)


class DiskRefusedError(EcrError):
    """The folder with the state is full, read-only or broken. Nothing of the request was kept."""

    def __init__(self, why: str) -> None:
        super().__init__("ServerException", f"The data folder cannot be written: {why}", status=500)
