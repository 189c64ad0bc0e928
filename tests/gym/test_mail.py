"""The mailbox of the gym: searching, the facts in mails, and what is sent."""

from __future__ import annotations

import re

import pytest
from gym_calls import ask, told

from alpha_umi.tools.protocol import Toolbox
from alpha_umi_gym import generate
from alpha_umi_gym.domains.files.tools import Files
from alpha_umi_gym.domains.mail import facts
from alpha_umi_gym.domains.mail.facts import FACTS
from alpha_umi_gym.domains.mail.slots import NO_SUBJECTS
from alpha_umi_gym.domains.mail.tools import mailbox
from alpha_umi_gym.domains.mail.topics import SHARED_FILES, TOPICS
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, names_in
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.registry import bound
from alpha_umi_gym.words import words_beside
from alpha_umi_gym.world import World


@pytest.fixture
def world() -> World:
    return World(3)


@pytest.fixture
def box(world: World) -> Toolbox:
    return bound(world)


def address(world: World, at: int = 0) -> str:
    return list(world.part(People).persons.values())[at].email


def test_every_mail_is_found_by_sender_and_by_subject(box: Toolbox, world: World) -> None:
    for mail in mailbox(world).mails.values():
        sender = mailbox(world).sender(mail)
        by_subject = told(box, "search_mail", subject=f"The {mail.subject.upper()}")
        assert by_subject == {"count": 1, "mails": [{"id": mail.id, "subject": mail.subject}]}
        assert told(box, "search_mail", sender=sender, subject=mail.subject) == by_subject
        assert {"id": mail.id, "subject": mail.subject} in told(box, "search_mail", sender=sender)["mails"]
        read = told(box, "read_mail", mail_id=mail.id)
        assert (read["from"], read["date"], read["subject"]) == (sender, mail.date, mail.subject)


def test_one_word_of_the_subject_is_enough(box: Toolbox, world: World) -> None:
    subjects = [mail.subject for mail in mailbox(world).mails.values()]
    word = subjects[0].split()[0]
    found = told(box, "search_mail", subject=word)
    assert [mail["subject"] for mail in found["mails"]] == [s for s in subjects if word in s.split()]


def test_some_sender_wrote_more_than_once(world: World) -> None:
    senders = [mail.sender for mail in mailbox(world).mails.values()]
    assert len(senders) == 9 > len(set(senders))


@pytest.mark.parametrize("topic", TOPICS)
def test_every_fact_stands_in_every_mail_on_its_topic(topic: str) -> None:
    wanted = [fact for fact in FACTS if fact.topic == topic]
    assert wanted
    seen = set()
    for seed in range(60):
        world = World(seed)
        for mail in mailbox(world).mails.values():
            text = mailbox(world).text(mail)
            assert "{" not in text
            if mail.topic == topic:
                seen.add(re.sub(r"[\d.:-]+", "", mail.body))
                for fact in wanted:
                    match = re.search(fact.pattern, text)
                    assert match, (fact.kind, text)
                    _check(fact.kind, match[1], world)
    assert len(seen) >= len(TOPICS[topic].bodies)


def _check(kind: str, value: str, world: World) -> None:
    match kind:
        case "city":
            assert value in CITIES
        case "person":
            assert value in names_in(world)
        case "filename":
            assert value in world.part(Files).files
        case "date":
            assert "2024-01-01" <= value <= "2024-12-31"
        case "clock":
            assert "08:00" <= value < "19:00"
        case "phone":
            assert re.fullmatch(r"\+(?:4930|1617)[2-9]\d{6}", value)
        case _:
            assert float(value) > 0


def test_the_files_that_mails_name_are_there(world: World) -> None:
    assert set(SHARED_FILES) <= set(world.part(Files).files)


def test_no_two_topics_share_a_subject() -> None:
    subjects = [subject for topic in TOPICS.values() for subject in topic.subjects]
    assert len(set(subjects)) == len(subjects)
    for unknown in NO_SUBJECTS:
        with pytest.raises(LookupError) as error:
            find(unknown, subjects, what="subject")
        assert "did you mean" not in str(error.value)


@pytest.mark.parametrize(
    ("tool", "arguments", "sent"),
    [
        ("send_mail", {"subject": "hi", "body": "The room is 14"}, ["hi", "The room is 14", "normal"]),
        ("send_mail", {"subject": "hi", "body": "Now", "priority": "high"}, ["hi", "Now", "high"]),
        ("forward_mail", {"mail_id": "MAIL"}, ["Fwd: SUBJECT", "TEXT", "normal"]),
    ],
)
def test_what_is_sent_lies_in_the_sent_mails(
    box: Toolbox, world: World, tool: str, arguments: dict[str, str], sent: list[str]
) -> None:
    mail = next(iter(mailbox(world).mails.values()))
    real = {"MAIL": mail.id, "Fwd: SUBJECT": f"Fwd: {mail.subject}", "TEXT": mailbox(world).text(mail)}
    to = address(world)
    told(box, tool, to=f" {to.upper()} ", **{key: real.get(value, value) for key, value in arguments.items()})
    assert mailbox(world).sent == [[to, *(real.get(text, text) for text in sent)]]
    assert set(world.changes()) == {"Mailbox"}


def test_a_reply_goes_to_the_sender(box: Toolbox, world: World) -> None:
    mail = next(iter(mailbox(world).mails.values()))
    told(box, "reply_to_mail", mail_id=mail.id.lower(), body="Fine")
    email = world.part(People).find(mailbox(world).sender(mail)).email
    assert mailbox(world).sent == [[email, f"Re: {mail.subject}", "Fine", "normal"]]


def test_a_slip_in_a_name_is_named(box: Toolbox, world: World) -> None:
    mail, to = next(iter(mailbox(world).mails.values())), address(world)
    for tool, arguments, right in (
        ("search_mail", {"subject": f"{mail.subject[:2]}{mail.subject[3:]}"}, mail.subject),
        ("search_mail", {"sender": f"{mailbox(world).sender(mail)}x"}, mailbox(world).sender(mail)),
        ("send_mail", {"to": f"{to[:2]}{to[3:]}", "subject": "a", "body": "b"}, to),
    ):
        assert f"did you mean '{right}'?" in ask(box, tool, **arguments).text


def test_who_wrote_nothing_has_no_mail(box: Toolbox, world: World) -> None:
    silent = next(
        n for i, n in enumerate(names_in(world)) if i not in {m.sender for m in mailbox(world).mails.values()}
    )
    assert f"there is no mail from {silent}" in ask(box, "search_mail", sender=silent).text
    assert told(box, "count_unread", sender=silent) == 0


def test_unread_mails_are_counted(box: Toolbox, world: World) -> None:
    mails = list(mailbox(world).mails.values())
    for mail in mails:
        told(box, "mark_read", mail_id=mail.id)
    assert told(box, "count_unread") == 0
    told(box, "mark_read", mail_id=mails[0].id, read=False)
    told(box, "read_mail", mail_id=mails[0].id)
    assert told(box, "count_unread") == 1
    assert told(box, "count_unread", sender=mailbox(world).sender(mails[0])) == 1
    told(box, "delete_mail", mail_id=mails[0].id)
    assert told(box, "count_unread") == 0


def test_nearly_every_fact_is_asked_for() -> None:
    used = {words for task in generate(900, seed=2, only=("mail",)) for words in task.wordings}
    words = {fact: words_beside(facts.__file__)[f"{fact.topic}_{fact.kind}"] for fact in FACTS}
    asked = [fact for fact in FACTS if used & {*words[fact].goals, *words[fact].nouns, *words[fact].asks}]
    assert len(asked) >= len(FACTS) - 2
