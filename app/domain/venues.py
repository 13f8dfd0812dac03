"""What the platform may trade on. A venue stands here when an end-to-end and a fault path pass."""

from dataclasses import dataclass

from runner.protocol import Mode


@dataclass(frozen=True)
class KeyField:
    """One field of a key as an exchange issues it.

    ``pattern`` is what the whole of it looks like; ``example`` is made up. Secret ones are typed
    unseen. The gate hands ``api_key``, ``secret`` and ``passphrase`` to the runner.
    """

    name: str
    title: str
    help: str
    pattern: str
    example: str
    secret: bool = True


@dataclass(frozen=True)
class Venue:
    """One exchange as the forms need it.

    ``unbound_key_days``: after how many days a key that is bound to no address lapses or loses its
    trading right; ``None`` where the exchange has no such rule.
    """

    id: str
    title: str
    symbols: tuple[str, ...]
    modes: tuple[Mode, ...]
    quote: str
    key_fields: tuple[KeyField, ...]
    unbound_key_days: int | None = None


PRACTICE = Venue(
    id="practice",
    title="Practice market",
    symbols=("BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"),
    modes=(Mode.PAPER, Mode.TESTNET),
    quote="USDT",
    key_fields=(
        KeyField(
            name="api_key",
            title="API key",
            help="As the exchange shows it. Only its last four characters stay visible.",
            pattern=r"practice-[0-9a-f]{16,64}",
            example="practice-0f1e2d3c4b5a69788796a5b4",
        ),
        KeyField(
            name="secret",
            title="Secret",
            help="Shown by the exchange once. It must not be allowed to withdraw.",
            pattern=r"[\x21-\x7e]{16,200}",
            example="64 letters and digits",
        ),
    ),
)
VENUES: dict[str, Venue] = {PRACTICE.id: PRACTICE}
