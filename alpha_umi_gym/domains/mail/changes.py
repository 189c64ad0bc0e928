"""What is wanted of a mailbox beyond looking: writing, replying, forwarding, clearing away."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.mail import tools
from alpha_umi_gym.domains.mail.slots import ADDRESS, BODY, SUBJECT, mail_slot
from alpha_umi_gym.intents import Intent, Values
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_MAIL = mail_slot("mail_id")


def _text(values: Values) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


_SENT = Intent(
    tool=tools.send_mail,
    words=_WORDS["send_mail"],
    slots={"to": ADDRESS, "subject": SUBJECT, "body": BODY},
    arguments=_text,
    changes=True,
)
CHANGING = (
    _SENT,
    replace(
        _SENT, words=_WORDS["send_mail_with_priority"], arguments=lambda v: {**_text(v), "priority": "high"}, weight=0.3
    ),
    Intent(
        tool=tools.reply_to_mail,
        words=_WORDS["reply_to_mail"],
        slots={"mail_id": _MAIL, "body": BODY},
        arguments=_text,
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
        words=_WORDS["mark_read_not"],
        slots={"mail_id": _MAIL},
        arguments=lambda v: {**v, "read": False},
        changes=True,
        weight=0.6,
    ),
)
