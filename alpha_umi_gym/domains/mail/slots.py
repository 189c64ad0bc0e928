"""What may fill the places of mail requests: mails by sender and subject, addresses, subjects and texts to send."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from alpha_umi_gym.domains.mail.tools import Mail, mailbox
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.people import FIRST_NAMES, LAST_NAMES, PERSON, People
from alpha_umi_gym.sampler import DroppedTask, Sampler

_WHAT = ("room", "code", "new price", "number of guests", "bus number", "table number", "locker number", "page")
_NEWS = (
    "I will be {n} minutes late", "We need {n} more chairs", "Please bring {n} cups", "The train leaves in {n} minutes",
    "I paid {n} dollars for it", "There are {n} seats left", "Only {n} people came", "The bill was {n} dollars",
)  # fmt: skip
TEXTS = tuple(
    text.format(n=n) for n in range(3, 90, 4) for text in (*(f"The {what} is {{n}}" for what in _WHAT), *_NEWS)
)
"""What people have sent."""
_TONES = ("quick question", "good news", "bad news", "reminder", "correction", "update", "new idea", "final word")
_MATTERS = ("the party", "next week", "the new office", "our trip", "the project", "the car", "Friday", "the club")
NEW_SUBJECTS = tuple(f"{tone} about {matter}" for tone in _TONES for matter in _MATTERS)
"""Subjects of mails to be sent."""
NO_SUBJECTS = ("llama farm", "moon colony", "pirate treasure", "robot orchestra", "dragon egg", "submarine licence")


class Pair(NamedTuple):
    """What tells one mail from all others."""

    sender: str
    subject: str


def mails_of(d: Sampler, topic: str | None = None) -> list[Mail]:
    """The mails of a world, or those about one topic.

    Raises:
        DroppedTask: there are none.
    """
    mails = [mail for mail in mailbox(d.world).mails.values() if topic in {None, mail.topic}]
    if not mails:
        raise DroppedTask("no mail of this topic")
    return mails


def sender_of(topic: str | None) -> Slot:
    """Somebody who wrote one mail only, on this topic; with a topic, no other call can tell who."""

    def draw(d: Sampler) -> str:
        box = mailbox(d.world)
        writers = [mail.sender for mail in box.mails.values()]
        alone = [mail for mail in mails_of(d, topic) if writers.count(mail.sender) == 1]
        if not alone:
            raise DroppedTask("no sender of one mail")
        return d.split_value([box.sender(mail) for mail in alone])

    return replace(PERSON, draw=draw) if topic is None else replace(PERSON, kind="sender", draw=draw)


def subject_of(topic: str | None) -> Slot:
    """The subject of a mail on this topic."""
    return Slot(
        kind="subject",
        draw=lambda d: d.split_value([mail.subject for mail in mails_of(d, topic)]),
        say=lambda value: (f"'{value}'", f"the {value}"),
        vague=("that matter of ours", "the thing I mentioned", "our usual topic"),
        unknown=lambda d: d.from_short_list(NO_SUBJECTS),
        slip=lambda d, value: d.misspell(value),
    )


def pair_of(topic: str | None) -> Slot:
    """Sender and subject of a mail on this topic, worded to follow "the mail"."""

    def draw(d: Sampler) -> Pair:
        mails = mails_of(d, topic)
        subject = d.split_value([mail.subject for mail in mails])
        return Pair(mailbox(d.world).sender(next(mail for mail in mails if mail.subject == subject)), subject)

    return Slot(
        kind="pair",
        draw=draw,
        say=lambda value: (
            f"from {value.sender} about '{value.subject}'",
            f"about the {value.subject} from {value.sender}",
            f"that {value.sender} wrote about '{value.subject}'",
        ),
    )


ANYBODY = replace(PERSON, draw=lambda d: d.split_value([mailbox(d.world).sender(mail) for mail in mails_of(d)]))
"""Somebody who wrote a mail or more."""


def mail_slot(kind: str, *, literal: bool = False) -> Slot:
    """A mail, which a search gives; its id may stand in the request if `literal`."""
    return Slot(
        kind=kind,
        draw=(lambda d: d.any_value(list(mailbox(d.world).mails))) if literal else None,
        say=lambda value: (f"mail {value}",),
        refer=("that mail",),
        vague=("that mail I told you about", "the usual mail") if literal else (),
        unknown=(lambda d: f"M{d.integer(10_000, 99_999)}") if literal else None,
    )


def _addresses(d: Sampler) -> list[str]:
    return [person.email for person in d.world.part(People).persons.values()]


def _nobody(d: Sampler) -> str:
    known = " ".join(_addresses(d))
    while True:
        first, last = d.any_value(FIRST_NAMES).lower(), d.any_value(LAST_NAMES).lower()
        if first not in known and last not in known:
            return f"{first}.{last}@example.com"


def _slip(d: Sampler, value: Any) -> str:
    name, domain = str(value).split("@")
    first, last = name.split(".")
    return f"{first}.{d.misspell(last)}@{domain}"


ADDRESS = Slot(
    kind="email",
    draw=lambda d: d.split_value(_addresses(d)),
    refer=("that address",),
    vague=("my friend", "the new colleague", "the usual address", "you know whom"),
    unknown=_nobody,
    slip=_slip,
)
SUBJECT = Slot(kind="new_subject", draw=lambda d: d.split_value(NEW_SUBJECTS), say=lambda value: (f"'{value}'",))
BODY = Slot(
    kind="text",
    draw=lambda d: d.split_value(TEXTS),
    say=lambda value: (f"'{value}'",),
    accepts=("date", "city", "clock", "moment", "weekday", "person", "count", "phone", "filename", "free_time"),
    refer=("what you found",),
    vague=("what we agreed on", "the usual text", "what I told you yesterday"),
)
