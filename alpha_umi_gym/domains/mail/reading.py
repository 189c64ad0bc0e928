"""What is read in mails: sender, date and text of any, and the facts in those of one topic."""

from __future__ import annotations

from alpha_umi_gym.domains.mail.facts import FACTS
from alpha_umi_gym.domains.mail.slots import mail_slot
from alpha_umi_gym.domains.mail.tools import read_mail
from alpha_umi_gym.domains.reading import asking
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


READING = (
    Intent(
        tool=read_mail,
        words=_WORDS["read_mail_sender"],
        slots={"mail_id": mail_slot("titled_mail")},
        gives=Gives(kind="person", read="from"),
        weight=3,
    ),
    Intent(
        tool=read_mail,
        words=_WORDS["read_mail_date"],
        slots={"mail_id": mail_slot("mail_id")},
        gives=Gives(kind="date", read="date", compares="date"),
        weight=1.5,
    ),
    Intent(
        tool=read_mail,
        words=_WORDS["read_mail_text"],
        slots={"mail_id": mail_slot("mail_id")},
        gives=Gives(kind="text", read="body"),
        weight=1.5,
    ),
    *(
        asking(fact, _WORDS, tool=read_mail, place="mail_id", slot=mail_slot(f"{fact.topic}_mail"), key="body")
        for fact in FACTS
    ),
)
