"""The support desk through its real doors: a browser, Telegram, and mail in both directions.

A whole plutarc runs; the Bot API and the mail servers stand beside it on loopback.
"""

import os
import re
import smtplib
import subprocess
import sys
import time
from email.message import EmailMessage

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ROOT, Installation
from tests.e2e.visitor import Visitor
from tests.fakes import telegram_api
from tests.fakes.mail_relay import MailRelay
from tests.fakes.mail_server import MailServer
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.browser

DOMAIN, AUTHSERV = "reply.example.org", "mx.example.org"
KEY = "an inbound key of forty letters or more.."
PASSWORD = "seven quiet harbours"
SECRET_NOTE = "the owner must never read this heron"


@pytest.fixture
def outbound():
    server = MailServer()
    yield server
    server.close()


@pytest.fixture
def telegram():
    server = telegram_api.TelegramApi()
    yield server
    server.close()


@pytest.fixture
def desk(tmp_path, outbound, telegram):
    """A plutarc whose mail and Telegram lead to this test."""
    made = Installation(
        tmp_path,
        DEMO="0",
        SMTP_URL=f"smtp://127.0.0.1:{outbound.port}",
        MAIL_FROM="desk@example.org",
        INBOUND_MAIL_DOMAIN=DOMAIN,
        INBOUND_MAIL_KEY=KEY,
        MAIL_AUTHSERV_ID=AUTHSERV,
        TELEGRAM_BOT_TOKEN=telegram_api.TOKEN,
        TELEGRAM_OPERATOR_CHAT_ID=str(telegram_api.GROUP),
        TELEGRAM_API_BASE=telegram.url,
    ).start()
    yield made
    if made.process.poll() is None:
        made.stop()


@pytest.fixture
def relay(desk):
    """Where mail for our domain arrives."""
    server = MailRelay(f"{desk.base}/webhooks/mail/raw", KEY, AUTHSERV)
    yield server
    server.close()


def make_operator(desk, email):
    inherited = {k: os.environ[k] for k in ("PATH", "HOME", "LANG") if k in os.environ}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "create-operator", email]
    subprocess.run(
        [*command, "--name", "Ada", "--password", PASSWORD],
        cwd=ROOT,
        env={**inherited, "VAR_DIR": str(desk.var), "BASE_URL": desk.base},
        check=True,
        capture_output=True,
    )
    operator = Visitor(desk.base)
    operator.open("/login").submit("/login", email=email, password=PASSWORD)
    return operator


def link_telegram(operator, telegram, number):
    """Link an operator's Telegram account by the deep link, and confirm it on the web."""
    until("the bot's name", lambda: offers_linking(operator))
    operator.submit("/account/telegram")
    token = re.search(r"\?start=([\w-]+)", operator.text)
    telegram.bot.say(number, number, f"/start {token[1]}")
    until("linked", lambda: "/confirm" in actions(operator.open("/account/telegram")))
    operator.submit("/account/telegram/confirm")


def actions(visitor):
    return " ".join(form.get("action") or "" for form in visitor.page.all("form"))


def offers_linking(operator):
    """The platform learns the bot's name some seconds after its start."""
    return re.search(r"/account/telegram( |$)", actions(operator.open("/account/telegram")))


def letters_to(outbound, address):
    return [it for it in outbound.post.letters if it.recipients == [address]]


def says(letter, text):
    return text in letter.message.get_body(("plain",)).get_content()


def answer_by_mail(relay, letter, sender, text):
    """Answer a letter from a mail program, over SMTP."""
    original = letter.message
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, original["Reply-To"]
    mail["Subject"] = f"Re: {original['Subject']}"
    mail["Message-ID"] = f"<{time.time_ns()}@example.com>"
    mail["In-Reply-To"] = original["Message-ID"]
    quoted = original.get_body(("plain",)).get_content().replace("\n", "\n> ")
    mail.set_content(f"{text}\n\nOn Mon, 2 Mar 2026 at 10:00, Desk wrote:\n> {quoted}")
    with smtplib.SMTP("127.0.0.1", relay.port, timeout=PATIENCE) as program:
        program.login(sender, "whatever")
        program.send_message(mail)


def new_tab(browser, desk):
    page = browser.new_context(base_url=desk.base).new_page()
    page.goto("/signup")
    page.fill("#name", "Nell")
    page.fill("#email", "nell@example.com")
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Create account')")
    page.wait_for_url("**/w/**")
    return page


def verify(page, outbound):
    """Follow the link of the first letter, as its owner does."""
    (letter,) = until("a letter", lambda: letters_to(outbound, "nell@example.com"))
    text = letter.message.get_body(("plain",)).get_content()
    home = page.url
    page.goto(re.search(r"http://\S+/verify/\S+", text)[0])
    with page.expect_navigation():
        page.locator("main button[type=submit], main form button").first.click()
    page.goto(home)


def test_a_question_and_its_answers(desk, relay, outbound, telegram, browser):
    operator = make_operator(desk, "ada@example.com")
    link_telegram(operator, telegram, 7001)
    page = new_tab(browser, desk)
    verify(page, outbound)

    # A browser opens a ticket; the operators' chat rings.
    page.get_by_role("link", name="Support").first.click()
    page.get_by_role("link", name=re.compile("Ask for help|New")).first.click()
    page.fill("#subject", "My bot sleeps")
    page.fill("#body", "It did not wake at nine.")
    page.get_by_role("button", name="Send").click()
    ring = until(
        "the chat rings",
        lambda: [m for m in telegram.bot.sent(telegram_api.GROUP) if "My bot sleeps" in m["text"]],
    )[0]
    assert "It did not wake at nine." in ring["text"]
    expect(page.get_by_text("It did not wake at nine.")).to_be_visible()
    address = page.url

    # The operator answers from Telegram; the page shows it without being loaded again.
    page.evaluate("window.stayed = true")
    group, thread = telegram_api.GROUP, ring.get("message_thread_id")
    where = {"reply_to_message": ring, "message_thread_id": thread, "is_topic_message": True}
    telegram.bot.say(group, 7001, "Which time zone is it in?", **where)
    expect(page.get_by_text("Which time zone is it in?")).to_be_visible()
    assert page.evaluate("window.stayed") is True

    # A note from Telegram stays with the operators.
    telegram.bot.say(group, 7001, f"/note {SECRET_NOTE}", **where)
    path = f"/operator/tickets/{address.rpartition('/')[2]}"
    until("the note", lambda: SECRET_NOTE in operator.open(path).text)

    # Both go on by mail, each over SMTP.
    def asked():
        letters = letters_to(outbound, "nell@example.com")
        return [it for it in letters if says(it, "Which time zone")]

    answer_by_mail(relay, until("the answer's letter", asked)[0], "nell@example.com", "In Lisbon.")
    expect(page.get_by_text("In Lisbon.")).to_be_visible()

    def rung():
        letters = letters_to(outbound, "ada@example.com")
        return [it for it in letters if says(it, "In Lisbon.")]

    answer_by_mail(
        relay, until("the operator's letter", rung)[0], "ada@example.com", "It wakes at ten."
    )
    expect(page.get_by_text("It wakes at ten.")).to_be_visible()
    assert page.evaluate("window.stayed") is True

    # Quotes went, and the note was never anywhere a person without the role could see it.
    assert "wrote:" not in page.inner_text("main")
    for seen in (page.content(), page.goto(address).text()):
        assert SECRET_NOTE not in seen
    owned = letters_to(outbound, "nell@example.com")
    assert not [it for it in owned if says(it, SECRET_NOTE)]
    assert set(relay.answers) == {200}
