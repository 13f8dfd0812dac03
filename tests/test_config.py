from datetime import timedelta
from decimal import Decimal

import pytest

from app.config import Config, SettingsError
from app.domain import price_book
from app.gateways.vault import generate
from app.settings import duration

PRIVATE, PUBLIC = generate()
WEB = {"SECRET_KEY": "0123456789abcdef" * 3, "SEAL_PUBLIC_KEY": PUBLIC, "VAR_DIR": "/nowhere"}


def read(role="web", **changes):
    environ = {key: value for key, value in (WEB | changes).items() if value is not None}
    return Config.from_environment(environ, role)


def faults(role="web", **changes):
    with pytest.raises(SettingsError) as caught:
        read(role, **changes)
    return caught.value.faults


def test_the_least_that_web_needs():
    config = read()
    assert config.base_url == "http://127.0.0.1:8000"
    assert config.database_url == "sqlite:////nowhere/plutarc.db"
    assert config.redis_url == "unix:///nowhere/redis.sock"
    assert config.tempo.sleep_min_gap == timedelta(seconds=20)
    assert config.master_keys == ()
    assert set(config.trusted_hosts) == {"127.0.0.1", "localhost", "[::1]"}


@pytest.mark.parametrize("role", ["worker", "ticker"])
def test_the_back_room_needs_no_secret(role):
    assert Config.from_environment({}, role).secret_key == ""


def test_the_gate_alone_holds_the_master_keys():
    assert Config.from_environment({"MASTER_KEYS": f"{PRIVATE}, {PRIVATE}"}, "gate").master_keys
    for role in ("web", "worker", "ticker"):
        assert any("only the gate" in line for line in faults(role, MASTER_KEYS=PRIVATE))
        assert any("only the gate" in line for line in faults(role, MASTER_KEYS_FILE="/some/file"))


def test_the_gate_answers_to_the_name_the_runners_know():
    environ = {"MASTER_KEYS": PRIVATE, "RUNNER_BASE_URL": "https://gate.example.org/"}
    config = Config.from_environment(environ, "gate")
    assert config.trusted_hosts == ("gate.example.org",)
    assert config.runner_base_url == "https://gate.example.org"


def test_all_faults_are_told_at_once():
    found = faults(SECRET_KEY=None, SEAL_PUBLIC_KEY=None, PORT="x", SLEEP_MIN_GAP="20")
    assert [line.split()[0] for line in found] == [
        "PORT",
        "SECRET_KEY",
        "SEAL_PUBLIC_KEY",
        "SLEEP_MIN_GAP",
    ]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SECRET_KEY", "short", "too weak"),
        ("SECRET_KEY", "a" * 64, "too weak"),
        ("SEAL_PUBLIC_KEY", "abc", "base64"),
        ("COMPUTE_DRIVER", "aws", "local, gce"),
        ("EXCHANGE_ENDPOINTS", "{", "not JSON"),
        ("EXCHANGE_ENDPOINTS", "[]", "no JSON object"),
        ("EXCHANGE_ENDPOINTS", '{"practice": "nowhere"}', "practice"),
        ("EXCHANGE_ENDPOINTS", '{"practice": 1}', "practice"),
        ("BASE_URL", "plutarc.example.org", "http://"),
        ("BASE_URL", "http://user:pass@host", "http://"),
        ("RUNNER_BASE_URL", "http://host:99999", "http://"),
        ("DATABASE_URL", "mysql://x", "postgresql"),
        ("REDIS_URL", "memcached://x", "redis://"),
        ("SIGNUP", "perhaps", "closed"),
        ("LOG_FORMAT", "xml", "json"),
        ("PROXY_HOPS", "9", "0 to 5"),
        ("PORT", "70000", "65535"),
        ("SLEEP_FLAT_FOR", "soon", "with its unit"),
        ("DEMO", "perhaps", "yes"),
    ],
)
def test_each_fault_names_its_cure(name, value, hint):
    (line,) = faults(**{name: value})
    assert line.startswith(name)
    assert hint in line


@pytest.mark.parametrize(
    "public", [{"HOST": "0.0.0.0"}, {"BASE_URL": "https://plutarc.example.org"}]
)
def test_the_demo_is_refused_in_public(public):
    assert any(line.startswith("DEMO") for line in faults(DEMO="1", **public))


GCE = {
    "COMPUTE_DRIVER": "gce",
    "GCE_PROJECT": "some-project",
    "GCE_REGIONS": "europe-west1, us-central1",
    "RUNNER_BASE_URL": "https://gate.example.org",
}


def test_compute_engine_by_its_settings():
    compute = read("cli", **GCE, GCE_NETWORK_TIER="premium", GCE_ENV_LABEL="staging").compute
    assert compute.zoned
    assert compute.regions == ("europe-west1", "us-central1")
    assert compute.machine_type == "e2-micro"
    assert compute.gce.project == "some-project"
    assert compute.gce.network_tier == "PREMIUM"
    assert compute.gce.env_label == "staging"
    assert compute.gce.endpoint == ""
    assert compute.gce.credentials == ""


@pytest.mark.parametrize("role", ["web", "gate", "worker", "ticker"])
def test_every_role_knows_of_the_cloud(role):
    own = {"MASTER_KEYS": PRIVATE, "SECRET_KEY": None} if role == "gate" else {}
    found = read(role, **GCE, **own)
    assert found.compute.zoned
    assert found.tempo.machine_type == found.compute.machine_type
    assert found.tempo.boot_deadline > read(role, **own).tempo.boot_deadline
    assert found.tempo.longest_run.days == 120


def test_local_machines_have_one_region_and_no_zones():
    compute = read().compute
    assert (compute.regions, compute.zoned, compute.gce) == (("local",), False, None)


def test_compute_engine_lacking_what_it_needs():
    missing = {line.split()[0] for line in faults("cli", COMPUTE_DRIVER="gce")}
    assert missing == {"GCE_PROJECT", "GCE_REGIONS", "RUNNER_BASE_URL"}


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"DEMO": "1"}, "DEMO is on"),
        ({"GCE_PROJECT": "No Project"}, "id of the project"),
        ({"GCE_REGIONS": "europe-west1-b"}, "GCE_REGIONS is"),
        ({"GCE_REGIONS": ","}, "GCE_REGIONS is"),
        ({"GCE_NETWORK_TIER": "gold"}, "standard, premium"),
        ({"GCE_ENV_LABEL": "Prod!"}, "small letters"),
        ({"GCE_MACHINE_TYPE": "zones/x"}, "e2-micro"),
        ({"GCE_IMAGE": "a b"}, "image or family"),
        ({"GCE_CREDENTIALS": "anonymous"}, "loopback only"),
        (
            {"GCE_CREDENTIALS": "anonymous", "GCE_API_ENDPOINT": "https://example.org"},
            "loopback only",
        ),
        ({"GCE_API_ENDPOINT": "http://example.org"}, "unencrypted"),
        ({"GCE_API_ENDPOINT": "example.org"}, "GCE_API_ENDPOINT is"),
        ({"RUNNER_BASE_URL": "http://gate.example.org"}, "https address"),
        ({"RUNNER_BASE_URL": "http://127.0.0.1:8001"}, "https address"),
    ],
)
def test_compute_engine_refuses_what_cannot_be(changes, hint):
    (line,) = faults("cli", **(GCE | changes))
    assert hint in line


def test_a_key_file_that_is_not_there(tmp_path):
    path = str(tmp_path / "none.json")
    (told,) = faults("cli", **GCE, GCE_CREDENTIALS=path)
    assert "no file that can be read" in told


def test_a_pretended_cloud_needs_no_tls():
    local = {"GCE_API_ENDPOINT": "http://127.0.0.1:9", "GCE_CREDENTIALS": "anonymous"}
    compute = read("cli", **(GCE | local | {"RUNNER_BASE_URL": "http://127.0.0.1:8001"})).compute
    assert compute.gce.endpoint == "http://127.0.0.1:9"


def test_a_secret_from_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(WEB["SECRET_KEY"] + "\n")
    assert read(SECRET_KEY=None, SECRET_KEY_FILE=str(path)).secret_key == WEB["SECRET_KEY"]


def test_a_secret_kept_by_the_installation(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "SECRET_KEY").write_text(WEB["SECRET_KEY"])
    assert read(SECRET_KEY=None, VAR_DIR=str(tmp_path)).secret_key == WEB["SECRET_KEY"]


def test_an_unreadable_file_is_one_fault(tmp_path):
    (line,) = faults(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "absent"))
    assert line.startswith("SECRET_KEY_FILE cannot be read")


def test_a_secret_given_twice_is_ambiguous(tmp_path):
    assert any("set one of them" in line for line in faults(SECRET_KEY_FILE=str(tmp_path)))


def test_secrets_are_in_no_message_and_no_repr():
    database = "postgresql://app:hunter2@db/plutarc"
    config = Config.from_environment({"MASTER_KEYS": PRIVATE, "DATABASE_URL": database}, "gate")
    assert PRIVATE not in repr(config)
    assert "hunter2" not in repr(config)
    told = faults(SECRET_KEY="hunter2", DATABASE_URL="mysql://hunter2", SEAL_PUBLIC_KEY="hunter2")
    assert len(told) == 3
    assert "hunter2" not in "\n".join(told)


def test_postgresql_gets_its_driver():
    url = read(DATABASE_URL="postgres://app@db/plutarc").database_url
    assert url == "postgresql+psycopg://app@db/plutarc"


def test_a_role_that_does_not_exist():
    with pytest.raises(SettingsError, match="web, gate"):
        Config.from_environment({}, "boss")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("20s", 20), ("30min", 1800), ("5m", 300), ("1.5h", 5400), ("2d", 172800), ("250ms", 0.25)],
)
def test_durations(text, seconds):
    assert duration(text).total_seconds() == seconds


@pytest.mark.parametrize(
    ("url", "port", "implicit", "starttls"),
    [
        ("smtp://mail.example.org", 587, False, True),
        ("smtp://mail.example.org:2525?starttls=never", 2525, False, False),
        ("smtp://127.0.0.1:1025", 1025, False, False),
        ("smtp://localhost?starttls=required", 587, False, True),
        ("smtps://mail.example.org", 465, True, False),
    ],
)
def test_a_mail_server_and_how_it_is_spoken_to(url, port, implicit, starttls):
    found = read(SMTP_URL=url).mail_server
    assert (found.port, found.implicit_tls, found.starttls) == (port, implicit, starttls)


def test_the_web_knows_that_there_is_a_mail_server_and_not_its_password():
    environ = {"SMTP_URL": "smtp://app%40x:p%3Aw%2F@mail.example.org"}
    worker = Config.from_environment(environ, "worker")
    assert (worker.mail_server.user, worker.mail_server.password) == ("app@x", "p:w/")
    assert "p:w/" not in repr(worker)
    web = read(**environ)
    assert (web.mail_server.host, web.mail_server.password) == ("mail.example.org", "")
    assert Config.from_environment(environ, "ticker").mail_server is None


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("SMTP_URL", "mail.example.org:587", "no mail server"),
        ("SMTP_URL", "http://mail.example.org", "no mail server"),
        ("SMTP_URL", "smtp://mail.example.org:99999", "no address"),
        ("SMTP_URL", "smtp://mail.example.org?starttls=maybe", "starttls"),
        ("SMTP_URL", "smtp://mail.example.org?tls=1", "starttls"),
        ("SMTP_URL", "smtp://u:hunter2@mail.example.org?starttls=never", "unencrypted"),
        ("MAIL_FROM", "plutarc", "plain address"),
        ("MAIL_FROM", "Plutarc <a@example.org>", "plain address"),
        ("MAIL_FROM", "a@example.org\r\nBcc: b@example.org", "plain address"),
    ],
)
def test_a_fault_in_the_mail_settings_names_its_cure(name, value, hint):
    (line,) = faults(**{name: value})
    assert line.startswith(name)
    assert hint in line
    assert "hunter2" not in line


def test_the_sender_is_at_the_host_of_the_installation():
    assert read().mail_from == "plutarc@localhost"
    assert read(BASE_URL="https://bots.example.org").mail_from == "plutarc@bots.example.org"
    assert read(MAIL_FROM="desk@example.org").mail_from == "desk@example.org"


def test_a_price_book_of_one_s_own(tmp_path):
    assert read().prices == price_book.shipped()
    own = tmp_path / "prices.json"
    own.write_text(price_book.SHIPPED.read_text().replace('"0.00838"', '"0.01"'))
    rates = read(PRICE_BOOK=str(own)).prices.versions[0].regions["us-central1"]
    assert rates.machines["e2-micro"] == Decimal("0.01")
    own.write_text('{"currency": "USD", "versions": []}')
    (said,) = faults(PRICE_BOOK=str(own))
    assert said.startswith("PRICE_BOOK")
    assert "at least one" in said
    (said,) = faults(PRICE_BOOK=str(tmp_path / "none.json"))
    assert "cannot be read" in said


def test_code_strategies_are_switched_on_where_machines_are_shared_and_off_where_they_are_not():
    assert not read().code_strategies
    assert read(ALLOW_CODE_STRATEGIES="1").code_strategies
    assert read(**GCE).code_strategies
    assert not read(**GCE, ALLOW_CODE_STRATEGIES="0").code_strategies
