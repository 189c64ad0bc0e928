"""What is wanted of a mailbox beyond looking: writing, replying, forwarding, clearing away."""

from __future__ import annotations

from dataclasses import replace

from alpha_umi_gym.domains.mail.slots import ADDRESS, BODY, SUBJECT, mail_slot
from alpha_umi_gym.domains.mail.tools import delete_mail, forward_mail, mark_read, reply_to_mail, send_mail
from alpha_umi_gym.intents import Intent, Values

_MAIL = mail_slot("mail_id")


def _text(values: Values) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


_SENT = Intent(
    tool=send_mail,
    slots={"to": ADDRESS, "subject": SUBJECT, "body": BODY},
    goals=(
        "send a mail to {to} with the subject {subject} and nothing but {body} as its text",
        "write a mail to {to}: the subject is {subject}, the whole text is {body}",
        "mail {body}, and no other words, to {to} under the subject {subject}",
        "email {to}: put {subject} into the subject line and only {body} into the text",
        "let {to} have a mail with the subject {subject} and with {body} as the complete text",
        "compose a mail for {to}, subject {subject}, whose entire text is {body}, and send it",
    ),
    asks=(
        "{to} is waiting to hear from me. Send a mail with the subject {subject}; its whole text is {body}.",
        "I want a mail to go to {to}. Its subject is {subject} and it says only {body}.",
        "Please write to {to} for me, under the subject {subject}. The text should be {body} and nothing else.",
        "A short mail to {to}, please: subject {subject}, text {body}, no greeting.",
    ),
    found="the mail with the subject {subject} is sent to {to}",
    answers=("I sent the mail to {to}.", "The mail with the subject {subject} is on its way to {to}."),
    arguments=_text,
    changes=True,
)
CHANGING = (
    _SENT,
    replace(
        _SENT,
        goals=(
            "send a mail with high priority to {to}, with the subject {subject} and nothing but {body} as its text",
            "write a high priority mail to {to}: the subject is {subject}, the whole text is {body}",
            "mail {body}, and no other words, to {to} under the subject {subject}, and give it high priority",
        ),
        asks=(
            "Send {to} a mail of high priority, please. Its subject is {subject}, its whole text is {body}.",
            "High priority: {to} has to get a mail with the subject {subject}; its text is {body} and nothing else.",
            "A mail to {to}, please: subject {subject}, text {body}, no greeting, priority high.",
        ),
        arguments=lambda v: {**_text(v), "priority": "high"},
        weight=0.3,
    ),
    Intent(
        tool=reply_to_mail,
        slots={"mail_id": _MAIL, "body": BODY},
        goals=(
            "reply to {mail_id} with exactly this text: {body}",
            "answer {mail_id} by writing {body} and nothing else",
            "send {body}, and no other words, as a reply to {mail_id}",
        ),
        asks=(
            "I have not answered {mail_id} yet. Reply with {body} and nothing else.",
            "Could you reply to {mail_id}? The whole text is {body}.",
            "There is {mail_id} to be answered. Let the reply be {body}, word for word.",
        ),
        found="{mail_id} is answered",
        answers=("I replied to {mail_id}.", "The reply is sent."),
        arguments=_text,
        changes=True,
        rivals=("send_mail",),
    ),
    Intent(
        tool=forward_mail,
        slots={"mail_id": mail_slot("mail_id", literal=True), "to": ADDRESS},
        goals=(
            "forward {mail_id} to {to}",
            "pass {mail_id} on to {to}",
            "send a copy of {mail_id} on to {to}",
            "let {to} have {mail_id} as it is",
        ),
        asks=(
            "{to} should see {mail_id} too. Forward it, please.",
            "Please make sure that {to} gets {mail_id} as well, by forwarding it.",
            "Could {to} have a look at {mail_id}? Forward it there.",
            "This concerns {to} more than me: {mail_id}. Pass it on.",
        ),
        found="{mail_id} is forwarded to {to}",
        answers=("I forwarded {mail_id} to {to}.", "{to} has got {mail_id} now."),
        changes=True,
        rivals=("send_mail",),
    ),
    Intent(
        tool=delete_mail,
        slots={"mail_id": _MAIL},
        goals=(
            "delete {mail_id}",
            "remove {mail_id} from the mailbox",
            "throw {mail_id} away",
            "get rid of {mail_id}",
        ),
        asks=(
            "I never want to see {mail_id} again. Delete it.",
            "My mailbox is too full. Please delete {mail_id}.",
            "There is no need to keep {mail_id}; remove it.",
            "You can clear away {mail_id} now.",
        ),
        found="{mail_id} is deleted",
        answers=("{mail_id} is deleted.", "I deleted {mail_id}."),
        changes=True,
    ),
    Intent(
        tool=mark_read,
        slots={"mail_id": _MAIL},
        goals=(
            "mark {mail_id} as read",
            "set {mail_id} to read",
            "take the unread mark off {mail_id}",
        ),
        asks=(
            "I know what is in {mail_id}. Mark it as read.",
            "Somebody told me about {mail_id}, so it should count as read. Please mark it.",
            "The mailbox still shows {mail_id} as new. Mark it as read.",
        ),
        found="{mail_id} is marked as read",
        answers=("{mail_id} is marked as read.", "I marked {mail_id} as read."),
        changes=True,
    ),
    Intent(
        tool=mark_read,
        slots={"mail_id": _MAIL},
        goals=(
            "mark {mail_id} as unread",
            "set {mail_id} back to unread",
            "make {mail_id} count as unread again",
        ),
        asks=(
            "I want to come back to {mail_id}. Mark it as unread.",
            "I only had a glance at {mail_id}, so please mark it as unread again.",
            "So that I do not forget {mail_id}, mark it as unread.",
        ),
        found="{mail_id} is marked as unread",
        answers=("{mail_id} is marked as unread.", "I marked {mail_id} as unread."),
        arguments=lambda v: {**v, "read": False},
        changes=True,
        weight=0.6,
    ),
)
