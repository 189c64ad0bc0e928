"""What a mailbox is wanted for, first of all: finding mails. What is in them and what is done are in two more modules.

A mail is named by its sender, by its subject or by both, and a search turns that into an id. For every topic the same
three ways are there once more, so that a request for the amount in a mail names one that has an amount.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alpha_umi_gym.domains.mail import tools
from alpha_umi_gym.domains.mail.changes import CHANGING
from alpha_umi_gym.domains.mail.reading import READING
from alpha_umi_gym.domains.mail.slots import ANYBODY, pair_of, sender_of, subject_of
from alpha_umi_gym.domains.mail.topics import TOPICS
from alpha_umi_gym.intents import Category, Gives, Intent, Values
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


def _by_subject(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_by_subject"],
        slots={"subject": subject_of(topic)},
        gives=Gives(kind=kind, read=_only),
        root=False,
    )


def _by_sender(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_by_sender"],
        slots={"sender": sender_of(topic)},
        gives=Gives(kind=kind, read=_only),
        root=False,
    )


def _by_both(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=tools.search_mail,
        words=_WORDS["search_mail_by_both"],
        slots={"pair": pair_of(topic)},
        gives=Gives(kind=kind, read=_only),
        arguments=lambda v: {"sender": v["pair"].sender, "subject": v["pair"].subject},
        root=False,
    )


def _ways() -> Iterator[Intent]:
    yield _by_subject("titled_mail", None)
    for topic in (None, *TOPICS):
        kind = f"{topic}_mail" if topic else "mail_id"
        yield from (_by_subject(kind, topic), _by_sender(kind, topic), _by_both(kind, topic))


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
    intents=(*_FINDING, *_ways(), *READING, *_UNREAD, *CHANGING),
    held_out=("forward_mail", "count_unread"),
    detours={"search_mail": ("count_unread",)},
)
