"""The report as a page: one file that needs nothing else and runs nothing."""

from __future__ import annotations

from html import escape
from typing import Any

from runner.certify.envelope import fingerprint
from runner.certify.outline import VERDICTS

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;"
    "padding:.4rem .6rem;border-bottom:1px solid #ccc}.passed{color:#0a6b2d}.failed{color:#a3161f}"
    ".skipped,.not_offered{color:#6b5900}code{overflow-wrap:anywhere}"
)


def page(envelope: dict[str, Any]) -> str:
    report = envelope["report"]
    name = f"{report['exchange']}, {report['environment']}"
    verdict = "certified" if report["passed"] else "not certified"
    rows = "\n".join(_row(step) for step in report["steps"])
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(name)}: {verdict}</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>{escape(name)}: {verdict}</h1>
<p>{escape(report["symbol"])}, from {escape(report["began_at"])} to {escape(report["ended_at"])},
by runner {escape(report["runner_version"])} on Python {escape(report["python"])}.
{"It was stopped before its end." if report["stopped"] else ""}</p>
{_left(report["left"])}
<table>
<thead><tr><th scope="col">Step</th><th scope="col">Result</th><th scope="col">What was seen</th>
<th scope="col">Time</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p>Bundle <code>{escape(report["bundle"])}</code></p>
<p>Signed by the key <code>{escape(fingerprint(envelope["public_key"]))}</code>,
signature <code>{escape(envelope["signature"])}</code>. This page is for reading; what is signed is
the JSON file beside it, and <code>python -m runner certify --verify FILE</code> checks it.</p>
</body>
</html>
"""


def _row(step: dict[str, Any]) -> str:
    cause = f" ({step['cause'].replace('_', ' ')})" if step["cause"] else ""
    return (
        f'<tr><th scope="row">{escape(step["title"])}</th>'
        f'<td class="{escape(step["verdict"])}">{VERDICTS[step["verdict"]]}{escape(cause)}</td>'
        f"<td>{escape(step['detail'])}</td><td>{step['milliseconds'] / 1000:.1f}&nbsp;s</td></tr>"
    )


def _left(left: list[str]) -> str:
    if not left:
        return "<p>Nothing of it is left at the venue.</p>"
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in left)
    return f'<p class="failed">Left at the venue:</p>\n<ul>{items}</ul>'
