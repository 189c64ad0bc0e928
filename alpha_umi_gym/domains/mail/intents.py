"""What a mailbox is wanted for, first of all: finding mails. What is in them and what is done are in two more modules.

A mail is named by its sender, by its subject or by both, and a search turns that into an id. For every topic the same
three ways are there once more, so that a request for the amount in a mail names one that has an amount.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alpha_umi_gym.domains.mail.changes import CHANGING
from alpha_umi_gym.domains.mail.reading import READING
from alpha_umi_gym.domains.mail.slots import ANYBODY, pair_of, sender_of, subject_of
from alpha_umi_gym.domains.mail.tools import (
    count_unread,
    delete_mail,
    forward_mail,
    mark_read,
    read_mail,
    reply_to_mail,
    search_mail,
    send_mail,
)
from alpha_umi_gym.domains.mail.topics import TOPICS
from alpha_umi_gym.intents import Category, Gives, Intent, Values
from alpha_umi_gym.people import PERSON
from alpha_umi_gym.sampler import DroppedTask


def _only(result: Any, _: Values) -> str:
    if result["count"] != 1:
        raise DroppedTask("not one mail")
    return str(result["mails"][0]["id"])


def _subject(result: Any, values: Values) -> str:
    _only(result, values)
    return str(result["mails"][0]["subject"])


def _by_subject(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=search_mail,
        slots={"subject": subject_of(topic)},
        goals=(
            "find the mail about {subject}",
            "search the mailbox for the mail about {subject}",
            "look for the mail with {subject} as its subject",
        ),
        found="the mail about {subject} is mail {out}",
        answers=("The mail about {subject} is {out}.", "It is mail {out}."),
        gives=Gives(
            kind=kind,
            read=_only,
            nouns=(
                "the mail about {subject}",
                "the mail with {subject} as its subject",
                "the message about {subject}",
                "the mail that is about {subject}",
            ),
        ),
        root=False,
    )


def _by_sender(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=search_mail,
        slots={"sender": sender_of(topic)},
        goals=(
            "find the mail from {sender}",
            "search the mailbox for the mail from {sender}",
            "look for the mail that {sender} sent",
        ),
        found="the mail from {sender} is mail {out}",
        answers=("The mail from {sender} is {out}.", "It is mail {out}."),
        gives=Gives(
            kind=kind,
            read=_only,
            nouns=(
                "the mail from {sender}",
                "the mail that {sender} sent",
                "the mail written by {sender}",
                "the message from {sender}",
            ),
        ),
        root=False,
    )


def _by_both(kind: str, topic: str | None) -> Intent:
    return Intent(
        tool=search_mail,
        slots={"pair": pair_of(topic)},
        goals=("find the mail {pair}", "search the mailbox for the mail {pair}", "look for the message {pair}"),
        found="the mail {pair} is mail {out}",
        answers=("The mail {pair} is {out}.", "It is mail {out}."),
        gives=Gives(
            kind=kind,
            read=_only,
            nouns=("the mail {pair}", "the message {pair}", "the mail in my mailbox {pair}"),
        ),
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
        tool=search_mail,
        slots={"subject": subject_of(None)},
        goals=(
            "find the id of the mail about {subject}",
            "look up which id the mail about {subject} has",
            "search for the id of the mail with {subject} as its subject",
        ),
        asks=(
            "Which id does the mail about {subject} have?",
            "The mail program wants an id. What is it for the mail about {subject}?",
            "Under what id is the mail about {subject} kept?",
        ),
        found="the id of the mail about {subject} is {out}",
        answers=("The id of the mail about {subject} is {out}.", "It has the id {out}."),
        gives=Gives(
            kind="id",
            read=_only,
            nouns=(
                "the id of the mail about {subject}",
                "the id that belongs to the mail about {subject}",
                "the id of the mail with {subject} as its subject",
            ),
        ),
        weight=0.5,
    ),
    Intent(
        tool=search_mail,
        slots={"sender": ANYBODY},
        goals=(
            "count the mails from {sender}",
            "find out how many mails {sender} sent",
            "search how many mails there are from {sender}",
        ),
        asks=(
            "How many mails did {sender} send me?",
            "{sender} writes a lot. How many mails are there in my mailbox from that sender?",
            "How many of my mails are from {sender}?",
        ),
        found="the number of mails from {sender} is {out}",
        answers=("The number of mails from {sender} is {out}.", "The number of these mails is {out}."),
        gives=Gives(
            kind="number",
            read="count",
            nouns=(
                "the number of mails from {sender}",
                "the number of mails that {sender} sent",
                "the count of mails from {sender}",
            ),
            compares="size",
        ),
    ),
    Intent(
        tool=search_mail,
        slots={"sender": sender_of(None)},
        goals=(
            "find the subject of the mail from {sender}",
            "look up what the mail from {sender} has as its subject",
            "search for the subject under which {sender} wrote",
        ),
        asks=(
            "What is the mail from {sender} about? The subject is enough.",
            "Under which subject did {sender} write to me?",
            "{sender} sent me a mail. Which subject does it have?",
        ),
        found="the subject of the mail from {sender} is '{out}'",
        answers=("The subject of the mail from {sender} is '{out}'.", "It is about '{out}'."),
        gives=Gives(
            kind="mail_subject",
            read=_subject,
            nouns=(
                "the subject of the mail from {sender}",
                "the subject under which {sender} wrote",
                "the subject line of the mail from {sender}",
            ),
        ),
    ),
)
_UNREAD = (
    Intent(
        tool=count_unread,
        goals=(
            "count the unread mails",
            "find out how many mails are unread",
            "tell how many mails have not been read yet",
            "check how many mails are still marked as unread",
            "get the count of unread mails in the mailbox",
            "see how many mails in the mailbox are new to me",
        ),
        asks=(
            "How many unread mails do I have?",
            "How many mails in my mailbox are unread?",
            "I was on holiday. How many mails wait to be read?",
            "How far behind am I with my mails? Give me the number of unread ones.",
            "Is my mailbox full of unread mails? I want the number.",
            "How many of my mails have I not opened yet?",
        ),
        found="the number of unread mails is {out}",
        answers=("The number of unread mails is {out}.", "You have this number of unread mails: {out}."),
        gives=Gives(
            kind="number",
            nouns=(
                "the number of unread mails",
                "the count of mails that are unread",
                "the number of mails still to be read",
                "the count of unread messages in my mailbox",
            ),
            compares="size",
        ),
        weight=0.4,
    ),
    Intent(
        tool=count_unread,
        slots={"sender": PERSON},
        goals=(
            "count the unread mails from {sender}",
            "find out how many mails from {sender} are unread",
            "check how many mails {sender} sent that are still unread",
        ),
        asks=(
            "How many unread mails do I have from {sender}?",
            "{sender} asks if I have read everything. How many mails from that sender are unread?",
            "How many of the mails that {sender} sent are unread?",
        ),
        found="the number of unread mails from {sender} is {out}",
        answers=("The number of unread mails from {sender} is {out}.", "The number is {out}."),
        gives=Gives(
            kind="number",
            nouns=(
                "the number of unread mails from {sender}",
                "the number of mails from {sender} that are still unread",
                "the count of unread mails sent by {sender}",
            ),
            compares="size",
        ),
    ),
)

CATEGORY = Category(
    name="mail",
    tools=(
        search_mail,
        read_mail,
        send_mail,
        reply_to_mail,
        forward_mail,
        delete_mail,
        mark_read,
        count_unread,
    ),
    intents=(*_FINDING, *_ways(), *READING, *_UNREAD, *CHANGING),
    held_out=("forward_mail", "count_unread"),
    detours={"search_mail": ("count_unread",)},
)
