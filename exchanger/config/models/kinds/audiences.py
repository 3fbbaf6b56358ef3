"""Audiences: who comes and who goes, and what becomes of that in Braze."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from exchanger.config.models.base import ColumnName, Strict
from exchanger.config.models.kinds.consent import Words, words_of

MemberValue = Annotated[
    str | int | float | bool | None, Field(description="a value, or `null`, which clears it")
]
ACTION = "action"
"""The part of a row that says whether somebody comes or goes."""
COMES, GOES = "add", "remove"
"""What an action may mean."""


class Action(Strict):
    """Which cells of a column mean that somebody comes, and which that somebody goes."""

    from_: ColumnName = Field(alias="from", description="the column")
    add: Words = ()
    remove: Words = ()

    @property
    def words(self) -> dict[str, str]:
        """What each cell means, by its text in lower case: ``add`` or ``remove``."""
        return words_of(self)


class MemberValues(Strict):
    """What an attribute of members is, and what it is of those who left."""

    member: MemberValue = True
    leaver: MemberValue = False


class AudienceEvents(Strict):
    """Events for those who come and who go; who belongs already, or does not, gets none."""

    entered: str | None = Field(default=None, description="the name of the event of who comes")
    exited: str | None = Field(default=None, description="the name of the event of who goes")

    @property
    def key(self) -> str:
        """What names the audience, for all jobs and for good."""
        return self.entered or self.exited or ""


class AudienceCohort(Strict):
    """
    A cohort of a partner, for those to whom Braze has given a partner's key.

    It is made by its first request. Braze takes people by their ``external_id`` or an alias, and
    creates nobody.
    """

    id: str = Field(description="what the partner calls it, for good")
    name: str = Field(description="as the dashboard shows it; another name renames it")
    partner: str = Field(description="the name of the partner, as Braze's addresses have it")
    client_secret: SecretStr = Field(
        description=(
            "the data import key of the partner's page in Braze, as the name of a variable of the"
            " environment"
        )
    )
    partner_key: SecretStr = Field(
        description=(
            "the key that Braze gave the partner, as the name of a variable of the environment"
        )
    )

    @property
    def key(self) -> str:
        """What names it in a workspace: the partner, a slash and its id."""
        return f"{self.partner}/{self.id}"


class AudienceTarget(Strict):
    """
    What membership becomes: an attribute, an entry of an array attribute, events, or a cohort.

    Events are a job of their own.
    """

    attribute: str | None = Field(
        default=None, description="the name of an attribute: true of members, false of leavers"
    )
    value: MemberValues = Field(
        default=MemberValues(), description="of `attribute`: other values than true and false"
    )
    list_: str | None = Field(
        default=None,
        alias="list",
        description="the name of an array attribute, which has `entry` of members",
    )
    entry: str | None = Field(
        default=None, description="of `list`, which needs it: the text that stands for the audience"
    )
    events: AudienceEvents | None = Field(
        default=None, description="events for who comes and who goes; of a job of its own"
    )
    cohort: AudienceCohort | None = Field(
        default=None, description="a cohort of a partner; one in a job, and nobody is created then"
    )


class Audience(Strict):
    """Who belongs to an audience, by files that say who comes and who goes."""

    as_: tuple[AudienceTarget, ...] = Field(
        default=(),
        alias="as",
        description="what membership becomes: one thing, or several",
    )

    historical: bool = Field(
        default=True,
        description=(
            "of `events`: with `false`, people whom the first files of the job name get no event"
        ),
    )

    @property
    def events(self) -> AudienceEvents | None:
        """The events that it sends; None if it sends none."""
        return next((one.events for one in self.as_ if one.events is not None), None)

    @property
    def cohort(self) -> AudienceCohort | None:
        """The cohort that it is; None if it is none."""
        return next((one.cohort for one in self.as_ if one.cohort is not None), None)

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes that it writes."""
        return tuple(name for one in self.as_ if (name := one.attribute or one.list_))

    @property
    def entries(self) -> tuple[str, ...]:
        """The array attributes of which it writes an entry."""
        return tuple(one.list_ for one in self.as_ if one.list_ is not None)
