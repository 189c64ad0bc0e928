"""How people ask and how a planner thinks aloud, whatever the task is about.

Frames of requests are divided between train and test: the last half is for test, so that neither side repeats
itself. Rationales are the same for both. `goal` completes "I have to ...", `noun` names a value, `known` and `why` are
statements without a full stop.
"""

from __future__ import annotations

from alpha_umi_gym.intents import Intent
from alpha_umi_gym.sampler import Draw

# One call, or a tree in one sentence

NOUN_FRAMES = (
    "what is {noun}?",
    "tell me {noun}.",
    "I would like to know {noun}.",
    "find out {noun}.",
    "could you tell me {noun}?",
    "I need {noun}.",
    "please look up {noun}.",
    "do you know {noun}?",
    "give me {noun}.",
    "I am looking for {noun}.",
    "what would {noun} be?",
    "I want to know {noun}, please.",
    "can you work out {noun} for me?",
    "my question is about {noun}: what is it?",
    "help me find {noun}.",
    "show me {noun}.",
    "I have to write down {noun}; what is it?",
    "I was asked for {noun}.",
    "please determine {noun}.",
    "check {noun} for me, would you?",
    "would you mind telling me {noun}?",
    "name {noun}.",
    "I'm curious about {noun}.",
    "what's {noun}?",
    "let me know {noun}.",
    "somebody wants to know {noun} from me.",
    "I can't remember {noun}. What is it?",
    "report {noun}, please.",
    "how about {noun}, do you have it?",
    "state {noun}.",
    "is there a way to find {noun}?",
    "{Noun}, please.",
    "what do you get for {noun}?",
    "for the record, what is {noun}?",
    "I keep forgetting {noun}. Remind me.",
    "get me {noun}.",
)
GOAL_FRAMES = (
    "{goal}.",
    "please {goal}.",
    "can you {goal}?",
    "could you {goal} for me?",
    "I need you to {goal}.",
    "I'd like you to {goal}.",
    "{goal}, please.",
    "would you {goal}?",
    "help me to {goal}.",
    "I want you to {goal} and tell me the outcome.",
    "your task: {goal}.",
    "{goal} and report back.",
    "kindly {goal}.",
    "be so kind and {goal}.",
    "I have no time today, so please {goal}.",
    "quick one: {goal}.",
    "next on my list: {goal}.",
    "it would help me if you could {goal}.",
    "I must {goal} and don't know how. Do it for me.",
    "let us {goal}.",
    "go ahead and {goal}.",
    "I'd be glad if you could {goal}.",
    "do me a favour and {goal}.",
    "for my notes, {goal}.",
    "just {goal}, thanks.",
    "are you able to {goal}?",
    "now {goal} for me.",
    "one thing to do: {goal}.",
    "somebody has to {goal}; please do.",
    "I'm asking you to {goal}.",
    "your help is wanted: {goal}.",
    "my request is simple: {goal}.",
    "I wonder if you could {goal}.",
    "would it be possible for you to {goal}?",
    "before I forget: {goal}.",
    "you may {goal} now.",
    "what I need today is this: {goal}.",
    "I hope that you can {goal}.",
    "time to {goal}.",
    "my boss wants us to {goal}.",
    "here is a small task: {goal}.",
    "since you are so good at it, {goal}.",
)

# Several sentences: the first, those between, the last

FIRSTS = (
    "First {goal}.", "To begin with, {goal}.", "Step one: {goal}.", "Start by this: {goal}.", "{Goal} first.",
    "Before anything else, {goal}.", "There are a few things to do. One, {goal}.", "Kick off with this: {goal}.",
    "In a first step {goal}.", "Here is what I need. To start, {goal}.", "At first, {goal}.", "Initially, {goal}.",
    "Let me explain: first of all, {goal}.", "The first thing to do is this: {goal}.", "Begin like this: {goal}.",
    "This has several parts. First, {goal}.", "Number one: {goal}.", "You could start so: {goal}.",
    "As a first step, {goal}.", "It begins with this: {goal}.", "Firstly, {goal}.", "Open with this: {goal}.",
    "To get going, {goal}.", "For a start, {goal}.", "The way to begin is this: {goal}.", "Right away, {goal}.",
    "Let us begin: {goal}.", "You need to do a few things. The first: {goal}.", "Before the rest, {goal}.",
    "Part one: {goal}.", "Set out by this: {goal}.", "This comes first: {goal}.", "The opening move: {goal}.",
    "Here goes: {goal}.", "Do this before the rest: {goal}.", "As the first of my wishes, {goal}.",
)  # fmt: skip
BETWEEN = (
    "Then {goal}.", "Next, {goal}.", "After that {goal}.", "With that, {goal}.", "Go on and {goal}.",
    "Another step: {goal}.", "Once you have it, {goal}.", "Following that, {goal}.", "Subsequently {goal}.",
    "From there, {goal}.", "Continue: {goal}.", "In the next step {goal}.",
)  # fmt: skip
LASTS = (
    "Finally {goal}.", "At the end {goal}.", "And then {goal}.", "Last of all, {goal}.", "To finish, {goal}.",
    "Last step: {goal}.", "When all is done, {goal}.", "In the end {goal}.", "Based on that, {goal}.",
    "To conclude, {goal}.", "And lastly {goal}.", "With the outcome, {goal}.", "Wrap up: {goal}.",
    "After this, {goal}.", "Use it to {goal}.", "With what you found, {goal}.", "That done, {goal}.",
    "Ultimately, {goal}.", "Close by this: {goal}.", "Now comes the last part: {goal}.", "As a last step, {goal}.",
    "Having done so, {goal}.", "The rest is this: {goal}.", "And the last thing: {goal}.",
)  # fmt: skip
_OF_THEIR_OWN = {
    "Based on that, {goal}.": "Apart from that, {goal}.",
    "With the outcome, {goal}.": "There is also this: {goal}.",
    "Use it to {goal}.": "Besides, {goal}.",
    "With what you found, {goal}.": "A second thing: {goal}.",
}
SECONDS = tuple(_OF_THEIR_OWN.get(frame, frame) for frame in LASTS)
"""Frames of a goal that has nothing to do with the one before: none of them refers to what was found."""

_REFERRING = {
    "date": ("that date", "that day"),
    "city": ("that city",),
    "country": ("that country",),
    "person": ("that person",),
    "number": ("that number", "the result"),
    "count": ("that number", "the result"),
    "money": ("that amount", "the amount you find"),
    "text": ("that text",),
    "moment": ("that time",),
}


def capital(text: str) -> str:
    """With a capital first letter, where a sentence begins with a word and not with a tool's name."""
    first = text.split(" ", 1)[0]
    return text if "_" in first or "^" in first else text[:1].upper() + text[1:]


def referring(d: Draw, intent: Intent) -> str:
    """Words that refer back to what an intent gives."""
    if intent.gives is None:
        return "it"
    kind = intent.gives.kind
    return d.any_of(_REFERRING.get(kind, (f"that {kind.replace('_', ' ')}",)))


# Several results

LIST_FRAMES = (
    "Tell me {nouns}.",
    "I need {nouns}.",
    "What is each of these: {nouns}?",
    "Find out {nouns}.",
    "Give me these: {nouns}.",
    "Look up {nouns} for me.",
    "I would like to know {nouns}.",
    "Could you tell me {nouns}?",
    "List {nouns}, please.",
    "For a table I need {nouns}.",
    "Collect {nouns}.",
    "Please report {nouns}.",
    "Put together {nouns} for me.",
    "These are what I'm after: {nouns}.",
    "Can you get {nouns}?",
    "Let me have {nouns}.",
)
MOST_FRAMES = (
    "Which is greater: {nouns}? Give me the number too.",
    "Compare {all}. Which one is the larger, and how much is it?",
    "I want to know which is highest, {nouns}, with its value.",
    "Of {all}, which is the biggest and what is it?",
    "Find the largest among {all} and tell me how large it is.",
    "Take {all}: name the greatest of them and its value.",
    "Which has the higher value: {nouns}? Say the value as well.",
    "Between {all}, where is the maximum and how much is that?",
    "Look at {all} and pick the biggest, with the figure.",
    "Rank {all}: which one comes out on top, and with what value?",
)
LEAST_FRAMES = (
    "Which is smaller: {nouns}? Give me the number too.",
    "Compare {all}. Which one is the lesser, and how much is it?",
    "I want to know which is lowest, {nouns}, with its value.",
    "Of {all}, which is the smallest and what is it?",
    "Find the least among {all} and tell me how much it is.",
    "Take {all}: name the lowest of them and its value.",
    "Which has the lower value: {nouns}? Say the value as well.",
    "Between {all}, where is the minimum and how much is that?",
    "Look at {all} and pick the smallest, with the figure.",
    "Rank {all}: which one comes out last, and with what value?",
)

# A decision on a value

IF_FIRST_FRAMES = (
    "If {noun} is {condition}, {yes}; otherwise {no}.",
    "Check {noun}. If it is {condition}, {yes}. If not, {no}.",
    "Should {noun} be {condition}, {yes}, else {no}.",
    "Find out {noun}: when it is {condition}, {yes}, and when it is not, {no}.",
    "In case {noun} is {condition}, please {yes}; in the other case, {no}.",
    "Depending on {noun}, do one of two things: {yes} if it is {condition}, or {no} if it isn't.",
    "Look up {noun}. Is it {condition}? Then {yes}. Is it not? Then {no}.",
    "I am not sure about {noun}. Were it {condition}, {yes}; were it not, {no}.",
    "Provided that {noun} is {condition}, {yes}; if it is not, {no}.",
    "When {noun} is {condition}, {yes}. When it is not, {no}.",
    "Assuming that {noun} is {condition}, {yes}; assuming that it is not, {no}.",
    "Decide by {noun}: if it is {condition}, {yes}, and if it is not, {no}.",
    "Let {noun} decide. If it is {condition}, {yes}; if it is anything else, {no}.",
    "Determine whether {noun} is {condition}. If it is, {yes}. If it is not, {no}.",
    "With {noun} being {condition}, {yes}; with anything else, {no}.",
    "Start from {noun}: {yes} if it turns out to be {condition}, and {no} if it does not.",
    "My plan hangs on {noun}. If it is {condition}, {yes}; otherwise please {no}.",
    "Please find {noun} and, if it is {condition}, {yes}; if it isn't, {no}.",
    "What to do is up to {noun}: if it is {condition}, {yes}; if not, {no}.",
    "Work out {noun} first. If you get something {condition}, {yes}, and if you do not, {no}.",
    "Take a look at {noun} and {yes} provided that it is {condition}, but {no} if it is not.",
    "As long as {noun} is {condition}, {yes}; failing that, {no}.",
    "Suppose {noun} is {condition}: then {yes}. Suppose it is not: then {no}.",
    "It all depends on {noun}. Is it {condition}, {yes}. Is it anything else, {no}.",
    "Have a look at {noun}. In the event that it is {condition}, {yes}. In the event that it is not, {no}.",
    "Once you know {noun}, {yes} when it is {condition}. When it is not, {no}.",
    "See whether {noun} is {condition}. If so, {yes}, and if not, {no}.",
    "There are two ways to go on from {noun}: {yes} when it is {condition}, {no} when it is not.",
    "Consider {noun}. Given that it is {condition}, {yes}. Given that it is not, {no}.",
    "Two cases: either {noun} is {condition}, then {yes}; or it is not, then {no}.",
    "What comes next is settled by {noun}. If it is {condition}, {yes}. Else {no}.",
    "On the condition that {noun} is {condition}, {yes}; without that, {no}.",
    "Get hold of {noun}. If what you see is {condition}, {yes}; if it is not, {no}.",
    "If it turns out that {noun} is {condition}, {yes}; if it turns out otherwise, {no}.",
    "Verify that {noun} is {condition}, and then {yes}. If that is wrong, {no}.",
    "Only if {noun} is {condition} should you {yes}. In all other cases you should {no}.",
    "Let us see what {noun} is. If {condition}, {yes}; if not {condition}, {no}.",
    "Everything turns on {noun}: if it is {condition}, {yes}, and if it is not, {no}.",
    "I can't plan without {noun}. If it is {condition}, {yes}. If it is something else, {no}.",
    "First find {noun}. Then {yes} if it is {condition}; {no} if it is not.",
)
"""Frames that name the value before what depends on it."""
IF_FRAMES = (
    "{Yes} if {noun} is {condition}. In any other case {no}.",
    *IF_FIRST_FRAMES,
    "{Yes}, but only if {noun} is {condition}. If it isn't, {no}.",
)

# Around a request

OPENERS = (
    "Hi!", "Hello.", "Good morning.", "I have a question.", "Hey there.", "Thanks for helping.", "Sorry to bother you.",
    "Good evening, I hope you are well.", "Dear assistant!", "Morning!", "Greetings.", "Excuse me.",
    "Hello, it is me again.", "Good afternoon!", "Hiya.", "Welcome back.", "I hope I'm not disturbing you.",
    "Dear all,", "Well, here I am.", "One more thing.",
)  # fmt: skip
CLOSERS = (
    "Thanks!", "Thank you very much.", "That's all.", "I appreciate it.", "Take your time.", "It is urgent.",
    "Cheers.", "Many thanks in advance.", "Have a nice day.", "Bye for now.", "I owe you one.", "Best regards.",
    "Looking forward to it.", "That would be great.", "See you.", "Much obliged.",
)  # fmt: skip
ASIDES = (
    "My sister keeps asking me about it.",
    "It is for a report that I have to hand in.",
    "I had 3 cups of coffee already.",
    "My phone is nearly out of battery.",
    "We are planning a trip for 5 people.",
    "I asked my colleague Tom, but he did not know.",
    "Last time I got it wrong.",
    "The weather is lovely here.",
    "I am writing this on a train.",
    "My daughter turned 7 last week.",
    "There is no hurry at all.",
    "I tried to do it by hand and gave up.",
    "It came up at lunch.",
    "I only have 10 minutes left.",
    "Our team of 12 is waiting for this.",
    "I promised to sort this out today.",
    "This has been bothering me since Monday.",
    "Two of my friends disagree about it.",
    "I need it for a quiz.",
    "My neighbour told me you can help.",
    "The kids are asleep, so I finally have time.",
    "I lost my notes with 20 pages.",
    "A friend from room 14 wants to know.",
    "It will settle a bet of 50 cents.",
)

# What a planner thinks

START = (
    "I have to {goal}. The tool {tool} does this with the values in the question.",
    "The user wants me to {goal}, so I call {tool}.",
    "To {goal} I should use {tool}.",
    "First I {goal}; {tool} is the tool for it.",
    "The task is to {goal}, which is what {tool} is for.",
    "I need to {goal}. Among the offered tools, {tool} can do it.",
    "Let me {goal} with {tool}.",
    "The question asks me to {goal}. I use {tool}.",
    "My first step is to {goal} by means of {tool}.",
    "I start: {goal}, with {tool}.",
)
CONTINUE = (
    "{Known}. Next I have to {goal} with {tool}.",
    "Now I know that {known}, so I use {tool} to {goal}.",
    "{Known}. What is left is to {goal}, so I call {tool}.",
    "Since {known}, I can {goal} with {tool}.",
    "{Known}. With this I {goal}; {tool} does that.",
    "The tool says that {known}. The next step is to {goal} with {tool}.",
    "I have seen that {known}. Now I {goal} using {tool}.",
    "As {known}, I go on to {goal} by calling {tool}.",
)
LEFT = (
    "After that I have to {left}.",
    "Then comes this: {left}.",
    "What is left after it: {left}.",
    "Later I {left}.",
    "Still to do then: {left}.",
)
"""What follows on a call, said before it: a plan that the next rationale can go on with."""
DECIDE_LATER = (
    "decide by it which of the two things to do",
    "see from it what is to be done",
    "look whether the condition holds and act on that",
)
CONCLUDE = (
    "{Known}. That is all the user asked for.",
    "The result is clear: {known}. I can answer now.",
    "Now I know that {known}, so the answer can be written.",
    "{Known}, and nothing is left to do.",
    "I have what I need: {known}.",
    "{Known}. This answers the question.",
    "Everything is done: {known}.",
    "Since {known}, no further call is needed.",
)
FOUND_MOST = (
    "of these, {name} has the {most} value, {out}",
    "the {most} is {name} with {out}",
    "{name} with {out} is the {most}",
)
ANSWER_MOST = (
    "The {most} is {name} with {out}.",
    "{name} has the {most} value: {out}.",
    "It is {name}, with {out}.",
)
DENIED = (
    "permission for {tool} is denied",
    "this account may not use {tool}",
    "{tool} is not allowed here",
)
RETRY = (
    "{tool} failed for the moment only, so I try once more to {goal}.",
    "This was a temporary failure of {tool}. I repeat the call to {goal}.",
    "The error will pass: I call {tool} again to {goal}.",
    "{tool} could not be reached just now. I still have to {goal}, so I call it again.",
    "I was told to try again, so I use {tool} once more to {goal}.",
)
CORRECT = (
    "{wrong} was not found, but the tool suggests {right}. I {goal} with {tool}.",
    "There is no {wrong}; {right} must be meant. So I {goal} with {tool}.",
    "The tool asks if I mean {right} instead of {wrong}. I do, so I {goal} using {tool}.",
    "{wrong} seems to be a slip for {right}, therefore I call {tool} again to {goal}.",
)
DECIDE = (
    "{Known}, which is {verdict}, so I {goal} with {tool}.",
    "{Known}. That is {verdict}, therefore I have to {goal}; {tool} does it.",
    "Because {known} and this is {verdict}, I call {tool} to {goal}.",
    "The condition depends on this: {known}. It is {verdict}, hence I {goal} with {tool}.",
)
NO_WAY_ON = (
    "{Why}. No other tool can {goal}, so I have to stop.",
    "I cannot {goal}, because {why}. Another call would fail too.",
    "{Why}, and this cannot be mended with the offered tools.",
    "{Why}. There is no way to {goal}.",
    "As {why}, I am unable to {goal} and give up.",
)
NO_TOOL = (
    "I would have to {goal}, but only {names} are offered.",
    "None of the tools {names} can {goal}.",
    "The offered tools are {names}. With them I cannot {goal}.",
    "To {goal} I would need another tool than {names}.",
    "There is no tool to {goal}: I have {names}.",
)
NO_INFORMATION = (
    'To {goal} I have to know what is meant by "{vague}". The request does not say it, and no tool tells.',
    'The request only says "{vague}", so I cannot {goal}: a value is missing.',
    'I cannot {goal}, since "{vague}" leaves open which one is meant.',
    'Something is missing: "{vague}" could be anything. I must not guess, so I cannot {goal}.',
)
