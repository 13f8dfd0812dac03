"""What locks the installation's own key."""

import pytest

from app.gateways.locker import Locker


@pytest.fixture
def locker():
    return Locker(("a secret of the installation",))
