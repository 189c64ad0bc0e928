"""What a mailbox is wanted for: finding mails, what is in them, and writing, forwarding and clearing away.

A mail is named by its sender, by its subject or by both, and a search turns that into an id. For every topic the same
three ways are there once more, so that a request for the amount in a mail names one that has an amount.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from alpha_umi_gym.domains.mail import tools
from alpha_umi_gym.domains.mail.facts import FACTS
from alpha_umi_gym.domains.mail.slots import ADDRESS, ANYBODY, BODY, SUBJECT, mail_slot, pair_of, sender_of, subject_of
from alpha_umi_gym.domains.mail.topics import TOPICS
from alpha_umi_gym.domains.reading import as_texts, asking
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import DroppedTask
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _only(result: Any, _: Values) -> str:
    if result["count"] != 1:
        raise DroppedTask("not one mail")
    return str(result["mails"][0]["id"])


def _subject(result: Any, values: Values) -> str:
    _only(result, values)
    return str(result["mails"][0]["subject"])


def _found_by(way: str, slot: Slot, kind: str) -> Intent:
    """The intent to find the mail that a slot describes, for another call."""
    by_both = way == "both"
    return Intent(
        tool=tools.search_mail,
        words=_WORDS[f"search_mail_by_{way}"],
        slots={"pair" if by_both else way: slot},
        gives=Gives(kind=kind, read=_only),
        arguments=(lambda v: {"sender": v["pair"].sender, "subject": v["pair"].subject}) if by_both else None,
        root=False,
    )


def _ways() -> Iterator[Intent]:
    yield _found_by("subject", subject_of(None), "titled_mail")
    for topic in (None, *TOPICS):
        kind = f"{topic}_mail" if topic else "mail_id"
        yield _found_by("subject", subject_of(topic), kind)
        yield _found_by("sender", sender_of(topic), kind)
        yield _found_by("both", pair_of(topic), kind)


_FINDING = (
    Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_id"],
        slots={"subject": subject_of(None)},
        gives=Gives(kind="id", read=_only),
        weight=0.5,
    ),
    Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_count"],
        slots={"sender": ANYBODY},
        gives=Gives(kind="number", read="count", compares="size"),
    ),
    Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_subject"],
        slots={"sender": sender_of(None)},
        gives=Gives(kind="mail_subject", read=_subject),
    ),
)
_UNREAD = (
    Intent(
        tool=tools.count_unread, words=_WORDS["count_unread"], gives=Gives(kind="number", compares="size"), weight=0.4
    ),
    Intent(
        tool=tools.count_unread,
        words=_WORDS["count_unread_from"],
        slots={"sender": PERSON},
        gives=Gives(kind="number", compares="size"),
    ),
)

_MAIL = mail_slot("mail_id")


_SENT = Intent(
    tool=tools.send_mail,
    words=_WORDS["send_mail"],
    slots={"to": ADDRESS, "subject": SUBJECT, "body": BODY},
    arguments=as_texts,
    changes=True,
)
_CHANGING = (
    _SENT,
    replace(
        _SENT,
        words=_WORDS["send_mail_with_priority"],
        arguments=lambda v: {**as_texts(v), "priority": "high"},
        weight=0.3,
    ),
    Intent(
        tool=tools.reply_to_mail,
        words=_WORDS["reply_to_mail"],
        slots={"mail_id": _MAIL, "body": BODY},
        arguments=as_texts,
        changes=True,
        rivals=("send_mail",),
    ),
    Intent(
        tool=tools.forward_mail,
        words=_WORDS["forward_mail"],
        slots={"mail_id": mail_slot("mail_id", literal=True), "to": ADDRESS},
        changes=True,
        rivals=("send_mail",),
    ),
    Intent(tool=tools.delete_mail, words=_WORDS["delete_mail"], slots={"mail_id": _MAIL}, changes=True),
    Intent(tool=tools.mark_read, words=_WORDS["mark_read"], slots={"mail_id": _MAIL}, changes=True),
    Intent(
        tool=tools.mark_read,
        words=_WORDS["mark_unread"],
        slots={"mail_id": _MAIL},
        arguments=lambda v: {**v, "read": False},
        changes=True,
        weight=0.6,
    ),
)
_READING = (
    Intent(
        tool=tools.read_mail,
        words=_WORDS["read_mail_sender"],
        slots={"mail_id": mail_slot("titled_mail")},
        gives=Gives(kind="person", read="from"),
        weight=3,
    ),
    Intent(
        tool=tools.read_mail,
        words=_WORDS["read_mail_date"],
        slots={"mail_id": mail_slot("mail_id")},
        gives=Gives(kind="date", read="date", compares="date"),
        weight=1.5,
    ),
    Intent(
        tool=tools.read_mail,
        words=_WORDS["read_mail_text"],
        slots={"mail_id": mail_slot("mail_id")},
        gives=Gives(kind="text", read="body"),
        weight=1.5,
    ),
    *(
        asking(fact, _WORDS, tool=tools.read_mail, place="mail_id", slot=mail_slot(f"{fact.topic}_mail"), key="body")
        for fact in FACTS
    ),
)

CATEGORY = Category(
    name="mail",
    tools=(
        tools.search_mail,
        tools.read_mail,
        tools.send_mail,
        tools.reply_to_mail,
        tools.forward_mail,
        tools.delete_mail,
        tools.mark_read,
        tools.count_unread,
    ),
    intents=(*_FINDING, *_ways(), *_READING, *_UNREAD, *_CHANGING),
    held_out=("forward_mail", "count_unread"),
    alternatives={"search_mail": ("count_unread",)},
)
