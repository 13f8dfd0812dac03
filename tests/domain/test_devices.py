"""What a browser says of itself, in words a person knows their devices by."""

from app.domain import devices


def test_devices_are_named():
    agent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0 Safari/537.36"
    assert devices.name(agent) == "Chrome, Linux"
    assert devices.name("curl/8") == "Unknown browser"
