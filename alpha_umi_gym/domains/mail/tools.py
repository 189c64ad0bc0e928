"""The mailbox of a world: nine mails of 2024 with a fact or two in each, and the tools that search, read and send.

Owns the state; what the tools are wanted for is in `mail`. Subjects are unique in a mailbox. Nothing is really sent.
"""

from __future__ import annotations

import datetime
import random
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from alpha_umi_gym.domains.mail.topics import TOPICS, body_of
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, names_in
from alpha_umi_gym.world import World

_MAX_FOUND = 6
_LONGEST_BODY = 2000
_OWN_DOMAINS = ("example.com", "example.org", "mail.example")
"""Domains whose mailboxes are those of the people of the world."""
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")


@dataclass
class Mail:
    """One mail that came in."""

    id: str
    topic: str
    subject: str
    sender: int
    """By number among the people of the world."""
    date: str
    body: str
    """May hold {person}, to be replaced by the name of `third`."""
    third: int
    unread: bool


class Mailbox:
    """Mails of one episode, newest first, and what was sent from it."""

    def __init__(self, chance: random.Random) -> None:
        self.names: list[str] = []
        """The people of the world by number; `mailbox` fills it in."""
        self.sent: list[list[str]] = []
        """Recipient, subject, body."""
        topics, senders = chance.sample(list(TOPICS), 9), chance.sample(range(12), 7)
        numbers, days = chance.sample(range(1000, 9999), 9), chance.sample(range(366), 9)
        mails = []
        for index, topic in enumerate(topics):
            day = datetime.date(2024, 1, 1) + datetime.timedelta(days=days[index])
            subject, unread = chance.choice(TOPICS[topic].subjects), chance.random() < 0.6
            sender, third = senders[index % 7], senders[(index + 3) % 7]
            mails.append(
                Mail(f"M{numbers[index]}", topic, subject, sender, str(day), body_of(topic, chance), third, unread)
            )
        self.mails = {mail.id: mail for mail in sorted(mails, key=lambda mail: mail.date, reverse=True)}

    def sender(self, mail: Mail) -> str:
        """Who wrote a mail."""
        return self.names[mail.sender % len(self.names)]

    def text(self, mail: Mail) -> str:
        """What a mail says."""
        return mail.body.replace("{person}", self.names[mail.third % len(self.names)])

    def find(self, mail_id: str) -> Mail:
        """A mail by its id.

        Raises:
            LookupError: there is none.
        """
        key = mail_id.strip().upper()
        if key not in self.mails:
            raise LookupError(f"there is no mail '{mail_id[:40]}', an id looks like M1234")
        return self.mails[key]

    def state(self) -> object:
        """What matters of it."""
        return {"unread": {mail.id: mail.unread for mail in self.mails.values()}, "sent": sorted(self.sent)}


def mailbox(world: World) -> Mailbox:
    """The mailbox of a world, with the people of its beginning: they stay whatever becomes of the contacts."""
    box = world.part(Mailbox)
    box.names = box.names or names_in(world)
    return box


def search_mail(
    world: World,
    sender: Annotated[str | None, Field(description="full name")] = None,
    subject: Annotated[str | None, Field(description="words of the subject")] = None,
) -> dict[str, Any]:
    """Search the mailbox by sender, by words of the subject, or both; the newest mails come first."""
    if not (sender or subject):
        raise ValueError("give a sender, words of the subject, or both")
    box = mailbox(world)
    mails = list(box.mails.values())
    if sender:
        name = find(sender, box.names, what="person")
        mails = [mail for mail in mails if box.sender(mail) == name]
        if not mails:
            raise LookupError(f"there is no mail from {name}")
    if subject:
        words = set(subject.casefold().split()) - {"the", "a", "an"}
        among, mails = mails, [mail for mail in mails if words <= set(mail.subject.split())]
        if not mails:
            find(subject, [mail.subject for mail in among], what="subject")
    found = [{"id": mail.id, "subject": mail.subject} for mail in mails[:_MAX_FOUND]]
    return {"count": len(mails), "mails": found}


def read_mail(world: World, mail_id: str) -> dict[str, str]:
    """Open a mail by its id; it stays unread until it is marked."""
    box = mailbox(world)
    mail = box.find(mail_id)
    return {"from": box.sender(mail), "date": mail.date, "subject": mail.subject, "body": box.text(mail)}


def send_mail(
    world: World,
    to: Annotated[str, Field(description="email address")],
    subject: Annotated[str, Field(min_length=1, max_length=120)],
    body: Annotated[str, Field(min_length=1, max_length=_LONGEST_BODY)],
    priority: Literal["low", "normal", "high"] = "normal",
) -> str:
    """Write a new mail and send it to one address."""
    address = check_address(world, to)
    mailbox(world).sent.append([address, subject, body, priority])
    return f"sent to {address}"


def reply_to_mail(
    world: World, mail_id: str, body: Annotated[str, Field(min_length=1, max_length=_LONGEST_BODY)]
) -> str:
    """Answer a mail: its sender gets the text given here."""
    box = mailbox(world)
    mail = box.find(mail_id)
    address = world.part(People).find(box.sender(mail)).email
    box.sent.append([address, f"Re: {mail.subject}", body, "normal"])
    return f"replied to {address}"


def forward_mail(world: World, mail_id: str, to: Annotated[str, Field(description="email address")]) -> str:
    """Pass a mail on, as it is, to another address."""
    box, address = mailbox(world), check_address(world, to)
    mail = box.find(mail_id)
    box.sent.append([address, f"Fwd: {mail.subject}", box.text(mail), "normal"])
    return f"forwarded to {address}"


def delete_mail(world: World, mail_id: str) -> str:
    """Remove a mail from the mailbox."""
    box = mailbox(world)
    mail = box.mails.pop(box.find(mail_id).id)
    return f"deleted {mail.id}"


def mark_read(world: World, mail_id: str, read: bool = True) -> str:
    """Mark a mail as read, or as unread again with read=false."""
    mail = mailbox(world).find(mail_id)
    mail.unread = not read
    return f"{mail.id} is marked as {'read' if read else 'unread'}"


def count_unread(
    world: World, sender: Annotated[str | None, Field(description="full name; everybody if left out")] = None
) -> int:
    """How many unread mails there are, in all or from one sender."""
    box = mailbox(world)
    name = find(sender, box.names, what="person") if sender else None
    return sum(mail.unread and name in {None, box.sender(mail)} for mail in box.mails.values())


def check_address(world: World, address: str) -> str:
    """An address to which a mail can go, in lower case.

    Raises:
        ValueError: it is none.
        LookupError: nobody has it; a close one is suggested.
    """
    plain = address.strip().casefold()
    if not _ADDRESS.fullmatch(plain):
        raise ValueError(f"'{address[:60]}' is not an email address")
    if plain.split("@")[1] in _OWN_DOMAINS:
        find(plain, [person.email for person in world.part(People).persons.values()], what="address")
    return plain
