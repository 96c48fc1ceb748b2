"""Level Staged: slots, shows now and at an instant, and what cancels them."""

from gateway.conform.pictures import Picture
from gateway.conform.subject import Subject, words
from gateway.conform.verdicts import Ledger
from gateway.wire.messages import Cancel, CancelEntry, Failed, Put, Show, ShowEntry, Shown, Stored

LEVEL = "staged"
AHEAD_S = 5.0  # beyond the time a painting takes: enough for a label to be told beforehand
FAR_MS = 49 * 86_400_000  # beyond the 48 days that Bluetooth labels count
_SPARE_SLOT = 1


async def probe(subject: Subject, ledger: Ledger) -> None:
    """Fill a slot, show it, show another at an instant, cancel a third."""
    if subject.slots <= _SPARE_SLOT:
        ledger.unseen_skill(LEVEL, "keeps pictures for later", "the label has one slot")
        return
    picture = subject.picture()
    if not await _store(subject, ledger, picture):
        return
    await _show(subject, ledger, picture)
    await _refused_shows(subject, ledger, picture)
    await _flip(subject, ledger)
    await _cancelled(subject, ledger)


async def _store(subject: Subject, ledger: Ledger, picture: Picture) -> bool:
    """Put a picture into the spare slot without showing it."""
    talk = subject.talk
    put = subject.put(picture, slot=_SPARE_SLOT, show=False)
    await talk.send(put)
    answer = await talk.answer_to(put.id)
    stored = isinstance(answer, Stored) and (answer.slot, answer.rev) == (put.slot, put.rev)
    wrong = None if stored else words(answer, talk.patience_s)
    ledger.skill(LEVEL, "keeps a picture in a slot", wrong)
    if not stored:
        return False
    seen = await subject.seen()
    painted = seen is not None and seen.shown_digest == picture.digest
    ledger.skill(LEVEL, "which leaves the glass alone", "it was painted" if painted else None)
    return True


async def _show(subject: Subject, ledger: Ledger, picture: Picture) -> None:
    talk = subject.talk
    show = Show(id=talk.next_id(), entries=[_entry(subject, picture)])
    await talk.send(show)
    answer = await talk.answer_to(show.id)
    if isinstance(answer, Shown):
        subject.note_shown(answer, picture)
    wrong = None if isinstance(answer, Shown) else words(answer, talk.patience_s)
    ledger.skill(LEVEL, "shows a stored picture", wrong)


async def _refused_shows(subject: Subject, ledger: Ledger, stored: Picture) -> None:
    talk = subject.talk
    other = _entry(subject, subject.picture())
    here = _entry(subject, stored)
    now = talk.line.wall_ms()
    past, far = now - 1000, now + FAR_MS
    for what, show, code in (
        ("another picture than the slot's", _show_of(subject, other), "image_not_available"),
        ("an instant gone by", _show_of(subject, here, past), "implausible_absolute_time"),
        ("an instant too far ahead", _show_of(subject, here, far), "implausible_absolute_time"),
    ):
        await talk.send(show)
        answer = await talk.answer_to(show.id)
        right = isinstance(answer, Failed) and answer.code == code
        wrong = None if right else words(answer, talk.patience_s)
        ledger.skill(LEVEL, f"answers a show of {what} with {code}", wrong)


async def _flip(subject: Subject, ledger: Ledger) -> None:
    """Arm a show, and see it come at its instant and not before."""
    talk = subject.talk
    picture = subject.picture()
    name = "shows a picture at an instant"
    if not await _filled(subject, picture):
        ledger.skill(LEVEL, name, "the picture was not stored")
        return
    ahead_s = AHEAD_S + subject.glass_s
    at = talk.line.wall_ms() + round(ahead_s * 1000)
    show = _show_of(subject, _entry(subject, picture), at)
    await talk.send(show)
    answer = await talk.answer_to(show.id, patience_s=ahead_s + talk.patience_s)
    now = talk.line.wall_ms()
    if not isinstance(answer, Shown):
        ledger.skill(LEVEL, name, words(answer, ahead_s + talk.patience_s))
        return
    subject.note_shown(answer, picture)
    ledger.skill(LEVEL, name, f"{at - now} ms too early" if now < at else None)


async def _cancelled(subject: Subject, ledger: Ledger) -> None:
    """Arm two shows, cancel both, and see that neither comes."""
    talk = subject.talk
    picture = subject.picture()
    name = "drops two pending shows that are cancelled"
    if not await _filled(subject, picture):
        ledger.skill(LEVEL, name, "the picture was not stored")
        return
    ahead_ms = round((AHEAD_S + subject.glass_s) * 1000)
    now = talk.line.wall_ms()
    shows = [_show_of(subject, _entry(subject, picture), now + n * ahead_ms) for n in (1, 2)]
    await talk.send(*shows)
    entries = [CancelEntry(subject.label, show.entries[0].rev) for show in shows]
    cancel = Cancel(id=talk.next_id(), entries=entries)
    since = len(talk.heard)
    await talk.send(cancel)
    await talk.listen(2 * ahead_ms / 1000 + subject.glass_s + 1)
    painted = [
        answer for show in shows for answer in talk.answers_to(show.id) if isinstance(answer, Shown)
    ]
    for answer in painted:
        subject.note_shown(answer, picture)
    refused = talk.answers_to(cancel.id, since)
    wrong = words(refused[0], 0) if refused else None
    ledger.skill(LEVEL, name, "they came all the same" if painted else wrong)


async def _filled(subject: Subject, picture: Picture) -> bool:
    """Put a picture into the slot that the glass does not need."""
    put: Put = subject.put(picture, slot=_SPARE_SLOT, show=False)
    await subject.talk.send(put)
    return isinstance(await subject.talk.answer_to(put.id), Stored)


def _entry(subject: Subject, picture: Picture) -> ShowEntry:
    return ShowEntry(subject.label, subject.next_rev(), _SPARE_SLOT, picture.digest)


def _show_of(subject: Subject, entry: ShowEntry, at: int | None = None) -> Show:
    return Show(id=subject.talk.next_id(), entries=[entry], at=at)
