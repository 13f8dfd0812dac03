"""What a machine of a cloud is given to start with."""

from __future__ import annotations

_SCRIPT = """\
#!/bin/sh
# Fetches the runner named in this machine's metadata, checks its digest, and lets systemd run it.
set -eu
META="${PLUTARC_METADATA:-http://metadata.google.internal/computeMetadata/v1}"
attribute() {
    curl -fsS --retry 5 -m 10 -H 'Metadata-Flavor: Google' "$META/instance/attributes/$1"
}
SHA="$(attribute plutarc-bundle)"
URL="$(attribute plutarc-bundle-url)"
mkdir -p /opt/plutarc /var/lib/plutarc
curl -fsS --retry 10 --retry-all-errors -m 120 -o /opt/plutarc/new.pyz "$URL"
echo "$SHA  /opt/plutarc/new.pyz" | sha256sum -c --quiet -
mv /opt/plutarc/new.pyz /opt/plutarc/runner.pyz
id plutarc >/dev/null 2>&1 || useradd --system --home-dir /var/lib/plutarc plutarc
chown plutarc /var/lib/plutarc
umask 077
{
    echo "PLUTARC_GATE=$(attribute plutarc-gate)"
    echo "PLUTARC_BOT=$(attribute plutarc-bot)"
    echo "PLUTARC_GENERATION=$(attribute plutarc-generation)"
    echo "PLUTARC_TOKEN=$(attribute plutarc-token)"
    echo "PLUTARC_DIR=/var/lib/plutarc"
} >/etc/plutarc.env
cat >/etc/systemd/system/plutarc.service <<'UNIT'
[Unit]
After=network-online.target
Wants=network-online.target
[Service]
User=plutarc
EnvironmentFile=/etc/plutarc.env
ExecStart=/usr/bin/python3 -I /opt/plutarc/runner.pyz
Restart=always
RestartSec=5
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ReadWritePaths=/var/lib/plutarc
UNIT
systemctl daemon-reload
systemctl restart plutarc.service
"""


def startup_script(_environment: dict[str, str]) -> str:
    """The script; the same for every machine, since its values come from the metadata."""
    return _SCRIPT


def metadata(environment: dict[str, str], bundle_sha: str, bundle_url: str) -> dict[str, str]:
    """The items a machine reads: no key of an exchange, only what its one claim needs."""
    given = {
        name.lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith("PLUTARC_")
    }
    found = {"plutarc-bundle": bundle_sha, "plutarc-bundle-url": bundle_url}
    return given | found | {"startup-script": startup_script(environment)}
