"""A person who takes a bot live, and the market's own word about the account it trades."""

import base64
import hashlib
import hmac
import time
from decimal import Decimal
from urllib.parse import urlencode

import requests

from app.domain import totp
from app.practice.keys import new_key
from tests.e2e.visitor import Visitor
from tests.waiting import PATIENCE, until

PASSWORD = "seven quiet harbours"
LIMITS = {"max_position_notional": "100000", "max_daily_loss": "5000", "on_breach": "flatten"}


class Account:
    """A key of the practice market, and what the market itself says of its account."""

    def __init__(self, market):
        self.market = market
        self.key, self.secret = new_key()

    def held(self):
        """The position in base units, nought where there is none."""
        rows = self._get("/fapi/v3/positionRisk")
        return sum((Decimal(row["positionAmt"]) for row in rows), Decimal(0))

    def stops(self):
        """What rests at the market to close the position: side and quantity of each stop."""
        rows = self._get("/fapi/v1/openAlgoOrders")
        return [
            (row["side"], Decimal(row["quantity"]))
            for row in rows
            if row["reduceOnly"] in (True, "true")
        ]

    def covered(self):
        """Whether a stop rests for all that is held."""
        held = self.held()
        wanted = ("SELL" if held > 0 else "BUY", abs(held))
        return held != 0 and wanted in self.stops()

    def flat(self):
        return self.held() == 0 and self.stops() == []

    def filled(self):
        """The client id of every order that was filled, in whole or in part, as often as it was."""
        rows = self._get("/fapi/v1/allOrders", symbol="BTCUSDT", limit=1000)
        return [row["clientOrderId"] for row in rows if Decimal(row["executedQty"])]

    def stopped_since(self, orders):
        """Whether more was filled since, and nothing is held now."""
        return len(self.filled()) > len(orders) and self.held() == 0

    def fault(self, kind, path="*", **values):
        """Let the market do this to the requests of this key."""
        return fault(self.market, kind, match={"account": self.key, "path": path}, **values)

    def calm(self, name):
        """Switch a fault off."""
        path = f"{self.market}/practice/v1/faults?id={name}"
        requests.delete(path, timeout=PATIENCE).raise_for_status()

    def _get(self, path, **query):
        text = urlencode({**query, "timestamp": int(time.time() * 1000), "recvWindow": 60_000})
        sign = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        answer = requests.get(
            f"{self.market}{path}?{text}&signature={sign}",
            headers={"X-MBX-APIKEY": self.key},
            timeout=PATIENCE,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()


def fault(market, kind, **values):
    wish = {"kind": kind, **values}
    answer = requests.post(f"{market}/practice/v1/faults", json=[wish], timeout=PATIENCE)
    assert answer.status_code < 300, answer.text


class Trader(Visitor):
    """Signs up, makes a bot that holds what it enters, and takes it live form by form."""

    def __init__(self, base, email="ada@example.com"):
        super().__init__(base)
        form = {"name": email.partition("@")[0].title(), "email": email, "password": PASSWORD}
        self.open("/signup").submit("/signup", **form)
        self.home = self.url
        self.bot = None

    def see(self, path=""):
        """The words of a page of the bot."""
        return self.open(f"{self.bot}{path}").text

    def make_bot(self):
        """On paper at the live twin of the practice market; it enters soon and holds for long."""
        self.open(f"{self.home}bots/new").submit(
            "/bots/new",
            name="Tide",
            exchange="practice-live",
            strategy="template:fast_ema_demo",
            start=None,
            **LIMITS,
        )
        self.bot = self.url
        self.open(f"{self.home}strategies")
        links = [a.get("href") for a in self.page.by_id("main").all("a")]
        strategy = next(link for link in links if "/strategies/str_" in link)
        patient = {"signals-0-fast": 2, "signals-0-slow": 4, "exits-0-percent": 5}
        patient |= {"exits-1-percent": 5, "exits-2-candles": 5000, "exits-3-on": None}
        self.open(f"{strategy}/edit").submit("/edit", **patient)
        self.open(f"{self.bot}/edit")
        versions = [o.get("value") for o in self.page.by_id("version").all("option")]
        self.submit("/edit", version=versions[0])
        self.open(self.bot).submit("/start")

    def gather_evidence(self):
        """One trade on paper, from entry to exit."""
        until("a position on paper", lambda: "in at" in self.see())
        self.flatten()
        until("a closed trade", lambda: "1 closed trade" in self.see())

    def flatten(self):
        self.open(self.bot).submit("/pause")
        self.submit("/flatten")
        until("flat", lambda: "nothing is held" in self.see())

    def add_factor(self):
        self.open("/account/security").submit("/account/security/app")
        spelt = self.page.all("code")[0].text.replace(" ", "").strip()
        seed = base64.b32decode(spelt + "=" * (-len(spelt) % 8))
        step = int(time.time()) // totp.PERIOD
        self.submit("/confirm", code=totp.code(seed, step))

    def connect(self, account, label="Real money"):
        """Save a live key for the bot; leads to the page where it goes live."""
        self.open(f"{self.home}connections/new?bot={self.bot.rpartition('/')[2]}")
        fields = {"api_key": account.key, "secret": account.secret, "label": label}
        self.submit("/connections/new", environment="live", **fields)
        self.submit("/live", act="save")

    def ask(self, **values):
        self.open(f"{self.bot}/live").submit("/live", act="ask", **values)

    def look_again(self):
        self.open(f"{self.bot}/live").submit("/live/check")

    def go_live(self, account):
        """All of it, up to the first position whose stop was seen at the venue."""
        self.make_bot()
        self.gather_evidence()
        self.add_factor()
        self.connect(account)
        until("the key was looked at", lambda: "Within 24 hours" in self.see("/live"))
        self.ask()
        assert "It is live." in self.text
        self.open(self.bot).submit("/resume")
        self.await_protection(account)

    def await_protection(self, account):
        until("a protected position", account.covered, pause=1)
        until("its stop on the page", lambda: "seen at the venue" in self.see())
