"""What is read in mails: sender, date and text of any, and the facts in those of one topic."""

from __future__ import annotations

from alpha_umi_gym.domains.mail.facts import FACTS
from alpha_umi_gym.domains.mail.slots import mail_slot
from alpha_umi_gym.domains.mail.tools import read_mail
from alpha_umi_gym.domains.reading import asking
from alpha_umi_gym.intents import Gives, Intent

READING = (
    Intent(
        tool=read_mail,
        slots={"mail_id": mail_slot("titled_mail")},
        goals=("find out who wrote {mail_id}", "look up the sender of {mail_id}", "check from whom {mail_id} is"),
        asks=(
            "Who sent {mail_id}?",
            "I would like to thank whoever wrote {mail_id}. Who was it?",
            "From whom did I get {mail_id}?",
            "Who is the author of {mail_id}?",
        ),
        gives=Gives(
            kind="person",
            read="from",
            nouns=(
                "the sender of {mail_id}",
                "the person who sent {mail_id}",
                "the person who wrote {mail_id}",
                "the author of {mail_id}",
            ),
        ),
        found="the sender of {mail_id} is {out}",
        answers=("The sender of {mail_id} is {out}.", "{out} sent it."),
        weight=3,
    ),
    Intent(
        tool=read_mail,
        slots={"mail_id": mail_slot("mail_id")},
        goals=(
            "find out on which date {mail_id} was sent",
            "look up the date of {mail_id}",
            "check what date {mail_id} is from",
        ),
        asks=(
            "On which date was {mail_id} sent?",
            "How old is {mail_id}? Tell me the date it was sent.",
            "Since which date has {mail_id} been in my mailbox?",
        ),
        gives=Gives(
            kind="date",
            read="date",
            nouns=(
                "the date on which {mail_id} was sent",
                "the date on which {mail_id} arrived",
                "the date on which {mail_id} was written",
            ),
            compares="date",
        ),
        found="{mail_id} was sent on {out}",
        answers=("{mail_id} was sent on {out}.", "The date is {out}."),
        weight=1.5,
    ),
    Intent(
        tool=read_mail,
        slots={"mail_id": mail_slot("mail_id")},
        goals=(
            "read out the text of {mail_id}",
            "open {mail_id} and quote what it says",
            "get the full text of {mail_id}",
        ),
        asks=(
            "What does {mail_id} say? Please quote it.",
            "I cannot open my mails here. Read {mail_id} to me, word for word.",
            "What exactly is written in {mail_id}?",
        ),
        gives=Gives(
            kind="text",
            read="body",
            nouns=("the text of {mail_id}", "the full text of {mail_id}", "the wording of {mail_id}"),
        ),
        found="the text of {mail_id} is '{out}'",
        answers=("The text of {mail_id} is: {out}", "It says: {out}"),
        weight=1.5,
    ),
    *(
        asking(fact, tool=read_mail, place="mail_id", slot=mail_slot(f"{fact.topic}_mail"), key="body")
        for fact in FACTS
    ),
)
