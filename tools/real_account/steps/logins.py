"""Step 3: how long a login lives that a role's session of one hour has fetched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.content import RegistryLogin, push_image
from real_account.journal import Journal, Made
from real_account.run import Run, new_client
from real_account.step import NotLookedAtError, Step

_MODEL: Final = "GetAuthorizationToken of the API model: valid for 12 hours; for sessions of an hour not documented"
AT_ONCE: Final = Belief("login-at-once", "a pull-only role's login pulls at once", _MODEL, "200")
AFTER_SESSION: Final = Belief(
    "login-after-70-minutes", "a login outlives the session of one hour that fetched it", _MODEL, "200"
)
AFTER_6_HOURS: Final = Belief("login-after-6-hours", "a login pulls after 6 hours", _MODEL, "200")
AFTER_11_HOURS: Final = Belief("login-after-11-hours", "a login pulls after 11 hours", _MODEL, "200")
SESSION: Final = timedelta(minutes=70)


def _do(run: Run) -> Iterator[Observation]:
    repository = run.repository("login")
    push_image(run, repository, "login", "v1")
    pull = {
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": run.arn("ecr", f"repository/{repository}"),
    }
    role = run.role("login-role", {"Action": "ecr:GetAuthorizationToken", "Resource": "*"}, pull)
    ecr = new_client("ecr", run.region, run.as_role(role))
    try:
        login = RegistryLogin.fetch(ecr)
    finally:
        ecr.close()
    _keep(run, login, repository)
    # A role that was made a moment ago is not known everywhere yet.
    yield Observation(AT_ONCE, _pull(run, login, repository))


def _pull(run: Run, login: RegistryLogin, repository: str) -> str:
    def ask() -> str:
        status = login.pull(repository, "v1")
        return status if status == "200" else ""

    return run.pace.until(ask, 30) or login.pull(repository, "v1")


def _keep(run: Run, login: RegistryLogin, repository: str) -> None:
    file = run.folder / "login.json"
    run.journal.making(Made("login", run.name("login"), run.region, {"file": str(file)}))
    file.touch(mode=0o600)
    document = {
        "endpoint": login.endpoint,
        "basic": login.basic,
        "repository": repository,
        "at": run.pace.now().isoformat(),
    }
    file.write_text(json.dumps(document), encoding="utf-8")


def pull_later(run: Run, belief: Belief, after: timedelta) -> Observation:
    """Pull with the kept login. Raises NotLookedAtError where it is too early, or none was kept."""
    file = run.folder / "login.json"
    if not file.exists() or not _is_there(run.journal, run.name("login")):
        raise NotLookedAtError("no login was kept")
    kept = json.loads(file.read_text(encoding="utf-8"))
    age = run.pace.now() - datetime.fromisoformat(kept["at"])
    if age < after:
        raise NotLookedAtError(f"too early: the login is {age} old, and {after} are asked for")
    status = RegistryLogin(kept["endpoint"], kept["basic"]).pull(kept["repository"], "v1")
    return Observation(belief, status, f"the login was {age} old")


def _is_there(journal: Journal, name: str) -> bool:
    return any(made.kind == "repository" and made.name == name for made in journal.left())


def _after_session(run: Run) -> Iterator[Observation]:
    file = run.folder / "login.json"
    if file.exists():
        made_at = datetime.fromisoformat(json.loads(file.read_text(encoding="utf-8"))["at"])
        run.pace.wait(max(0.0, (made_at + SESSION - run.pace.now()).total_seconds()))
    yield pull_later(run, AFTER_SESSION, SESSION)


STEP: Final = Step(
    name="03-logins",
    title="A login of a pull-only role",
    how="fetches a login as a role of its own and pulls a manifest with it",
    makes="a repository with one image, a role, a login in a file of this folder",
    dollars=0.0,
    budget=timedelta(minutes=4),
    beliefs=(AT_ONCE,),
    do=_do,
    kept=("login", "login-role"),
)
AFTER: Final = Step(
    name="03-logins-after",
    title="The same login after its session has ended",
    how="waits until the login is 70 minutes old and pulls again",
    makes="nothing",
    dollars=0.0,
    budget=timedelta(minutes=75),
    beliefs=(AFTER_SESSION,),
    do=_after_session,
)
