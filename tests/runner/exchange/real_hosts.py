"""A venue's real host names answered on this machine over TLS: nothing leaves it, all is seen.

The ccxt class, its URLs, headers and signatures stay as they are; only the resolver leads here and
a certificate made for the test is trusted.
"""

import asyncio
import datetime as dt
import functools
import ssl
import tempfile
from pathlib import Path

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from runner.exchange import ccxt as market_module
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.transport import AGENT, HostGuard
from tests.runner.machine import configuration

NAMES = (
    "fapi.binance.com",
    "demo-fapi.binance.com",
    "api.binance.com",
    "api.bybit.com",
    "api-testnet.bybit.com",
    "www.okx.com",
    "api-futures.kucoin.com",
    "api.kucoin.com",
)


class Here(aiohttp.abc.AbstractResolver):
    """Every name is this machine."""

    def __init__(self, port):
        self._port = port

    async def resolve(self, host, port=0, family=0):
        here = {"hostname": host, "host": "127.0.0.1", "port": self._port}
        return [{**here, "family": 2, "proto": 0, "flags": 0}]

    async def close(self):
        pass


@functools.cache
def contexts():
    """The server's and the client's side of a certificate for the venues' names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the test's own")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in NAMES]), False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(serialization.Encoding.PEM, form, plain)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(pem + secret)
        server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


class Seen:
    """One request as it arrived: ``host`` is the name it was sent to."""

    def __init__(self, request, body):
        self.method = request.method
        self.host = request.headers["Host"]
        self.path = request.path
        self.raw_path = request.raw_path
        self.query = request.query_string
        self.headers = request.headers
        self.body = body


def at_real_hosts(monkeypatch, exchange, mode, credentials, answer, act):
    """Run ``act(market, broker, seen)`` with ``answer(seen_request)`` for the venue's answers."""
    server, trust = contexts()
    seen = []

    async def handle(request):
        one = Seen(request, (await request.read()).decode())
        seen.append(one)
        status, body, *headers = answer(one)
        return web.json_response(body, status=status, headers=headers[0] if headers else None)

    async def go():
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", handle)
        site = web.AppRunner(app, shutdown_timeout=0)
        await site.setup()
        await web.TCPSite(site, "127.0.0.1", 0, ssl_context=server).start()
        resolver = Here(site.addresses[0][1])

        def session(origins, _source, _timeout, rule=None):
            guard = HostGuard(origins, rule, resolver=resolver, ssl=trust)
            headers = {"User-Agent": AGENT}
            return aiohttp.ClientSession(connector=guard, trust_env=False, headers=headers)

        monkeypatch.setattr(market_module, "session", session)
        settings = configuration(None, mode, exchange=exchange)
        api, venue, origin = connect(settings, credentials, None)
        market = CcxtMarket(api, venue, origin)
        try:
            await market.open()
            return await act(market, CcxtBroker(api, venue, "USDT"), seen)
        finally:
            await market.close()
            await site.cleanup()

    return asyncio.run(go())
