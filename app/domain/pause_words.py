"""The words for what keeps a bot from entering: a person, the kill switch, a rule. Pure."""

from app.models.bot import PauseRule

BY = {
    PauseRule.KILL: "kill switch",
    PauseRule.LIMIT: "limit",
    PauseRule.ACCOUNT: "account rule",
    PauseRule.CEILING: "ceiling",
}
"""What fits into a list behind "paused"; a person's own pause needs no word more."""
WHO = {
    PauseRule.LIMIT: "A limit that it passed",
    PauseRule.ACCOUNT: "The rule of one bot to an account",
    PauseRule.CEILING: "A ceiling of the workspace",
}
LIFTED = {
    PauseRule.PERSON: "Whoever may start bots can resume it.",
    PauseRule.KILL: "Resume it here, or all that were paused together on the page of that press.",
    PauseRule.LIMIT: "Resume it to let it enter again; while the limit is passed it pauses again.",
    PauseRule.ACCOUNT: "Give one of the two bots a key of another account, or stop the other one; "
    "then resume this one.",
    PauseRule.CEILING: "Once all bots together are below the ceiling again, or it was raised under "
    "Settings, Limits, resume it; until then that is refused.",
}
STARTED = "Start it to let it enter again; while the limit is passed it stops again."


def detail(rule: PauseRule | None, reason: str) -> str:
    """A pause in the words of a bot's state."""
    if rule in (None, PauseRule.PERSON):
        return "No new entries; exits are managed."
    said = f": {sentence(reason)}" if reason else "."
    who = "The kill switch" if rule is PauseRule.KILL else WHO[rule]
    return f"{who} paused it{said} Exits are managed."


def note(rule: PauseRule | None) -> str:
    """What stands behind "paused" in a list."""
    return f"by {BY[rule]}" if rule in BY else ""


def sentence(text: str) -> str:
    """Words that end as a sentence does."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
