"""Logins, and what happens around a job: deliveries, schedules, and what cannot be handled."""

from typing import ClassVar

from tests.sandbox.roles.one_action_less.scenario import HUB, SPOKE, Scenario


class Refresh(Scenario):
    """One login has never been published, the other was replaced by somebody."""

    effects: ClassVar = {"login", "spoke login", "notice", "remembered"}
    function = "RefreshCredentialsFunction"

    def prepare(self) -> None:
        for account in (HUB, SPOKE):
            self.house.at(account).ecr.create_repository(repositoryName="kept/something-to-try")
            self.house.push(self.house.at(account), "kept/something-to-try", "1.0.0")

    def play(self) -> None:
        self.house.reset_secrets()
        self.house.tick("RefreshCredentialsFunctionRefresh")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        by_account = {HUB: "login", SPOKE: "spoke login"}
        found = {by_account[account] for account in self.house.published_logins()}
        if self.house.notices("Credential Refreshed", "ecr-steward/"):
            found.add("notice")
        return {*found, *self.noticed()}


def released(scenario: type[Scenario]) -> type[Scenario]:
    """The bus refuses a notice: it is not to be remembered as one that is being given."""

    class Released(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"released"}
        refused: ClassVar = {(f"hub/{scenario.function}Role", "events:PutEvents")}
        also: ClassVar = (*scenario.also, *refused)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            super().happened(told)
            return set() if self.house.remembered() else {"released"}

    return Released


def malformed(of_function: str, queue: str | None = None) -> type[Scenario]:
    """An event that no function can read, on its queue if any."""

    class Malformed(Scenario):
        effects: ClassVar = {"kept"}
        function: ClassVar = of_function

        def play(self) -> None:
            event = self.house.event("ecr_image_action/malformed", "nobody", "kept/nothing")
            if queue:
                self.house.send(queue, event)
            else:
                self.house.invoke(of_function, event)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"kept"} if told["failure queue"] else set()

    return Malformed


def postponed(scenario: type[Scenario]) -> type[Scenario]:
    """The session in the other account ends while the function believes in it: trying again may help, in a while."""

    class Postponed(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"postponed"}
        account = SPOKE

        def prepare(self) -> None:
            super().prepare()
            super().play()
            self.house.let_sessions_end()

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            asked = (f"hub/{scenario.function}Role", "sqs:ChangeMessageVisibility")
            return {"postponed"} if asked in self.house.allowed() else set()

    return Postponed


def forwarded(from_account: str) -> type[Scenario]:
    """A service puts an event on an account's default bus: the end of a scan, of an image that is not there."""

    class Forwarded(Scenario):
        effects: ClassVar = {"forwarded"}

        def play(self) -> None:
            rule = self.house.physical_id("ForwardToStewardRule", from_account)
            events = self.house.sandbox.client("events", account=from_account)
            events.enable_rule(Name=rule)
            try:
                self.house.deliver(from_account, self.house.load_event("ecr_image_scan/complete"))
            finally:
                events.disable_rule(Name=rule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"forwarded"} if self.house.arrived("ecr-steward") else set()

    return Forwarded


def checked(account: str) -> type[Scenario]:
    """The self-check of an account comes due."""

    class Checked(Scenario):
        effects: ClassVar = {"checked"}

        def play(self) -> None:
            self.house.tick("SelfCheckSchedule")  # of both accounts

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"checked"} if self.house.arrived("default", account) else set()

    return Checked


def scheduled(schedule: str, role: str, job: type[Scenario]) -> tuple[type[Scenario], type[Scenario]]:
    """A schedule comes due; and the same where it may not start its function."""

    class Started(Scenario):
        effects: ClassVar = {"started"}

        def play(self) -> None:
            self.house.tick(schedule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"started"} if job.function in {one.function for one in self.house.ran()} else set()

    class Undelivered(Started):
        effects: ClassVar = {"dead letter"}
        also: ClassVar = ((role, "lambda:InvokeFunction"),)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"dead letter"} if told["dead letters"] else set()

    return Started, Undelivered
