"""A cloud on loopback that speaks the Compute Engine protocol, for the unmodified client library.

In a test, with a virtual clock that only ``advance`` moves::

    with Cloud(clock="virtual") as cloud:
        client = compute_v1.InstancesClient(
            credentials=AnonymousCredentials(), client_options={"api_endpoint": cloud.url}
        )
        cloud.advance(60)

With the real clock (the default) the short latencies of ``Behaviour`` pass by themselves. With
``state=path`` everything lives in one SQLite file and survives ``kill -9`` of whoever serves it.
As a program of its own, steered through ``Remote(url)``, which has the same verbs::

    python -m tests.fakes.gce --port 8765 --state cloud.db \
        --boot some.module:boot --halt some.module:halt

``boot(instance) -> handle`` is called whenever an instance starts to run, ``halt(handle)`` before
it is gone, stopped or restarted: with the API's own shape of the instance (``metadata.items`` and
``networkInterfaces[0].accessConfigs[0].natIP`` are what a host needs). If the handle has a method
``console() -> str``, getSerialPortOutput returns it. Hooks of one instance never overlap, and an
instance is not gone before its ``halt`` has returned. After a restart on the same state ``boot``
is called again for every running instance.

What can be made to go wrong: ``Behaviour`` (latencies, quotas, how errors look), ``fault`` (one
HTTP exchange), ``fail_next`` (one operation), ``stockouts``, ``unreachable``, ``restart_host``,
``terminate``, ``delete_by_hand``, ``release_by_hand``; see ``control.py``.
"""

from tests.fakes.gce.behaviour import Behaviour
from tests.fakes.gce.control import Cloud, Remote

__all__ = ["Behaviour", "Cloud", "Remote"]
