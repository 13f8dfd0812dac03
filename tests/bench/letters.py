"""What the worst mails of a million characters cost: ``python -m tests.bench.letters``.

Seconds of the processor, slowest first, and how many times those of an eighth of each.
"""

import time

from app.domain.mail_text import text_of_html, visible_reply
from tests.domain.test_mail_text import HOSTILE

SHOWN = 5


def spent(act, text):
    """Seconds of the processor."""
    before = time.process_time()
    act(text)
    return time.process_time() - before


def main():
    """Measure every hostile shape by both readers, and print the slowest few."""
    for act in (visible_reply, text_of_html):
        rows = [
            (spent(act, text), spent(act, text[: len(text) // 8]), name)
            for name, text in HOSTILE.items()
        ]
        print(act.__name__)
        for whole, eighth, name in sorted(rows, reverse=True)[:SHOWN]:
            print(f"  {whole:6.2f} s  {whole / max(eighth, 1e-6):5.1f} times its eighth  {name}")


if __name__ == "__main__":
    main()
