"""What a repository and a registry list over /v2/: image tags, referrers, repositories."""

import pytest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
NOWHERE = "sha256:" + "0" * 64


def errors_of(answer):
    return [one["code"] for one in answer.json()["errors"]]


def test_tags_are_listed_once_when_pages_are_followed(team_app):
    names = [f"v{number:02}" for number in range(11)]
    for name in names:
        team_app.push_image("one", name)
    found, path = [], "tags/list?n=4"
    while path:
        page = team_app.send("GET", path)
        found.append(page.json()["tags"])
        link = page.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert [len(tags) for tags in found] == [4, 4, 3]
    assert [tag for tags in found for tag in tags] == names
    assert team_app.send("GET", "tags/list?n=0").json()["tags"] == []


def test_tags_are_not_sorted_and_those_that_stay_are_listed_once_while_others_move(team_app, ecr):
    names = ["zulu", "alpha", "mike", "kilo", "bravo"]
    for name in names:
        team_app.push_image(name, name)
    first = team_app.send("GET", "tags/list?n=2")
    assert first.json()["tags"] == ["zulu", "alpha"]
    link = first.headers["Link"]
    url = link[1 : link.index(">")]
    assert url.startswith(f"{team_app.url}/v2/team/app/tags/list?n=2&last=")
    assert "alpha" not in url
    team_app.push_image("moved", "alpha")
    rest = team_app.send("GET", url.replace("n=2", "n=100")).json()["tags"]
    assert [tag for tag in rest if tag != "alpha"] == ["mike", "kilo", "bravo"]


@pytest.mark.parametrize("last", ["", "alpha", "0", "eyJhIjoxfQ", "\u0661"])
def test_a_page_of_tags_behind_a_last_that_was_not_given_is_refused(team_app, last):
    answer = team_app.send("GET", f"tags/list?last={last}")
    assert answer.status == 405
    [error] = answer.json()["errors"]
    assert (error["code"], "Invalid next token provided" in error["message"]) == ("UNSUPPORTED", True)


def test_a_last_of_another_repository_is_refused(stand, ecr, team_app):
    for name in ("one", "two"):
        team_app.push_image(name, name)
    ecr.create_repository(repositoryName="team/other")
    link = team_app.send("GET", "tags/list?n=1").headers["Link"]
    path = link[link.index("/v2/") : link.index(">")].replace("team/app", "team/other")
    assert team_app.send("GET", path).status == 405


@pytest.mark.parametrize("n", ["1001", "99999999999", "-1", "x", "1e3", "\u0661"])
def test_a_page_of_tags_is_refused_when_n_is_out_of_bounds_CVE_2023_2253(team_app, n):
    answer = team_app.send("GET", f"tags/list?n={n}")
    assert answer.status in {400, 405}
    assert errors_of(answer) == ["UNSUPPORTED"]


def test_repositories_are_listed_in_the_catalog(stand, ecr, team_app):
    ecr.create_repository(repositoryName="team/other")
    first = team_app.send("GET", "/v2/_catalog?n=1")
    assert first.json() == {"repositories": ["team/app"]}
    link = first.headers["Link"]
    assert team_app.send("GET", link[1 : link.index(">")]).json() == {"repositories": ["team/other"]}


def test_referrers_are_listed_filtered_and_in_pages(team_app):
    subject = {"mediaType": OCI_MANIFEST, "digest": NOWHERE, "size": 3}
    empty = team_app.send("GET", f"referrers/{NOWHERE}")
    assert (empty.status, empty.headers["Content-Type"]) == (200, OCI_INDEX)
    assert empty.json() == {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}

    plain = team_app.image("referrer", subject=subject)
    pushed = [team_app.push_manifest(f"t{n}", {**plain, "annotations": {"n": str(n)}}) for n in range(52)]
    typed = team_app.push_image("typed", subject=subject, artifactType="application/spdx+json")

    assert {answer.headers["OCI-Subject"] for answer in pushed} == {NOWHERE}
    first = team_app.send("GET", f"referrers/{NOWHERE}")
    link = first.headers["Link"]
    second = team_app.send("GET", link[1 : link.index(">")])
    assert "Link" not in second.headers
    every = first.json()["manifests"] + second.json()["manifests"]
    assert len({one["digest"] for one in every}) == 53
    assert every[0]["artifactType"] == plain["config"]["mediaType"]
    assert every[7]["annotations"] == {"n": "7"}
    filtered = team_app.send("GET", f"referrers/{NOWHERE}?artifactType=application%2Fspdx%2Bjson")
    assert filtered.headers["OCI-Filters-Applied"] == "artifactType"
    assert [one["digest"] for one in filtered.json()["manifests"]] == [typed]
