#!/bin/sh
# Fetches the runner this machine's metadata names, checks its digest, and lets systemd run it.
# Runs as root at each start of the machine and may be run again at any time: what is there and
# right is kept. What it says goes to the serial console, so it never says the claim token.
# PLUTARC_METADATA and PLUTARC_ROOT exist so that the script can be tried on another computer.
set -eu
umask 022
META="${PLUTARC_METADATA:-http://metadata.google.internal/computeMetadata/v1}"
ROOT="${PLUTARC_ROOT:-}"
RETRY="${PLUTARC_RETRY_SECONDS:-3}"
HOME_DIR="$ROOT/opt/plutarc"
STATE_DIR="$ROOT/var/lib/plutarc"
SECRETS="$ROOT/etc/plutarc.env"

say() { echo "plutarc: $*"; }
die() {
    say "this machine cannot trade: $*"
    exit 1
}

attribute() {
    tries=0
    until value="$(curl -fsS -m 10 --noproxy '*' -H 'Metadata-Flavor: Google' \
        "$META/instance/attributes/$1")"; do
        tries=$((tries + 1))
        [ "$tries" -lt 5 ] || die "the metadata server does not tell $1"
        sleep "$RETRY"
    done
    # Only letters that mean nothing to a shell, to systemd or to nft may pass.
    case "$value" in
        '' | *[!A-Za-z0-9._:/=~-]*) die "$1 in the metadata is empty or malformed" ;;
    esac
}

command -v curl >/dev/null || die "curl is missing; choose an image that has it (GCE_IMAGE)"
say "starting"
attribute plutarc-bundle && SHA="$value"
attribute plutarc-bundle-url && URL="$value"
attribute plutarc-python && WANTED="$value"
attribute plutarc-gate && GATE="$value"
attribute plutarc-bot && BOT="$value"
attribute plutarc-generation && GENERATION="$value"
attribute plutarc-token && TOKEN="$value"
attribute plutarc-work && WORK="$value"
attribute plutarc-code && CODE="$value"
# A task has the machine to itself; a bot's runner is small and stays so.
case "$WORK" in task) MEMORY=90% ;; *) MEMORY=512M ;; esac
[ "${#SHA}" -eq 64 ] || die "plutarc-bundle in the metadata is no SHA-256 digest"

# -- the interpreter: a bundle holds code compiled for one minor version ----------------------
PYTHON="$(command -v "python$WANTED" || true)"
if [ -z "$PYTHON" ]; then
    found="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true)"
    die "the runner needs Python $WANTED, this image has ${found:-none}; choose another (GCE_IMAGE)"
fi
for module in aiohttp yarl certifi cryptography; do
    "$PYTHON" -I -c "import $module" 2>/dev/null ||
        die "Python $WANTED on this image lacks $module; choose an image that has it (GCE_IMAGE)"
done

# -- the bundle: over HTTPS; plain HTTP only where it never leaves the computer ----------------
scheme() {
    host="${1#http://}"
    host="${host%%[:/]*}"
    case "$1" in https://*) echo https && return ;; http://*) ;; *) return 1 ;; esac
    case "$host" in
        localhost) echo http ;;
        127.*[!0-9.]*) return 1 ;;
        127.*) echo http ;;
        *) return 1 ;;
    esac
}
SCHEME="$(scheme "$URL")" || die "the bundle's address must begin with https://"
scheme "$GATE" >/dev/null || die "the gate's address must begin with https://"

right() { [ -f "$1" ] && echo "$SHA  $1" | sha256sum -c >/dev/null 2>&1; }

mkdir -p "$HOME_DIR" "$STATE_DIR" "$ROOT/etc/systemd/system"
BUNDLE="$HOME_DIR/runner.pyz"
tries=0
until right "$BUNDLE"; do
    say "fetching $URL"
    if curl -fsS --proto "=$SCHEME" --connect-timeout 10 -m 120 --max-filesize 50000000 \
        -o "$BUNDLE.new" "$URL"; then
        if right "$BUNDLE.new"; then
            mv "$BUNDLE.new" "$BUNDLE"
            break
        fi
        say "what came is not the bundle: its SHA-256 is not $SHA"
    fi
    rm -f "$BUNDLE.new"
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] || die "the bundle could not be fetched; is the gate reachable from here?"
    sleep "$RETRY"
done
say "the bundle is verified"

# -- the user, and what only root may read -------------------------------------------------------
id -u plutarc >/dev/null 2>&1 ||
    useradd --system --no-create-home --home-dir "$STATE_DIR" --shell /usr/sbin/nologin plutarc
OWNER="$(id -u plutarc)"
chown -R plutarc "$STATE_DIR"
chmod 700 "$STATE_DIR"
(
    umask 077
    {
        echo "PLUTARC_GATE=$GATE"
        echo "PLUTARC_BOT=$BOT"
        echo "PLUTARC_GENERATION=$GENERATION"
        echo "PLUTARC_TOKEN=$TOKEN"
        echo "PLUTARC_WORK=$WORK"
        echo "PLUTARC_CODE=$CODE"
        echo "PLUTARC_DIR=$STATE_DIR"
    } >"$SECRETS.new"
)
mv "$SECRETS.new" "$SECRETS"

# -- where the runner may go: names, time, the gate, and HTTPS -----------------------------------
# Exchanges are known by name and change their addresses, so HTTPS is open to any host. The
# metadata server is closed to the runner but for names: what it needs is in its environment.
rest="${GATE#*://}"
rest="${rest%%/*}"
case "$rest" in
    *:*) PORT="${rest##*:}" ;;
    *) PORT=443 ;;
esac
case "$PORT" in '' | *[!0-9]*) die "the gate's address has no proper port" ;; esac
if command -v nft >/dev/null && nft -f - <<RULES
table inet plutarc
delete table inet plutarc
table inet plutarc {
    chain egress {
        type filter hook output priority 0; policy accept;
        meta skuid != $OWNER accept
        ct state established,related accept
        udp dport { 53, 123 } accept
        tcp dport 53 accept
        ip daddr 169.254.0.0/16 reject
        tcp dport { 443, $PORT } accept
        reject
    }
}
RULES
then
    say "the runner may reach names, time, the gate and HTTPS"
else
    say "nftables is not to be had on this image: where the runner may go is not limited"
fi

# -- the unit --------------------------------------------------------------------------------------
cat >"$ROOT/etc/systemd/system/plutarc.service" <<UNIT
[Unit]
Description=plutarc runner
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
User=plutarc
EnvironmentFile=$SECRETS
WorkingDirectory=$STATE_DIR
ExecStart=$PYTHON -I $BUNDLE
Restart=always
RestartSec=5
TimeoutStopSec=30
StandardOutput=journal+console
StandardError=journal+console
MemoryMax=$MEMORY
TasksMax=64
StateDirectory=plutarc
StateDirectoryMode=0700
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictSUIDSGID=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SystemCallArchitectures=native
IPAddressDeny=multicast
UNIT
systemctl daemon-reload
systemctl restart plutarc.service
say "the runner is started: $WORK $BOT, generation $GENERATION"
