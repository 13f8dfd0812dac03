"""Several transactions at once, each in a thread and a session of its own."""

import threading

from app.domain.errors import DomainError
from app.extensions import db
from tests.waiting import PATIENCE


def at_once(app, *acts):
    """Run each act in a transaction of its own; what refused or failed, in their order.

    An act is a generator function: it reads what a page would have read, yields, and changes.
    All have read before the first one changes anything. SQLite lets one writer in at a time, who
    has the database from its first reading on; there they begin together instead.
    """
    barrier = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)
    alone = db.engine.dialect.name == "sqlite"

    def run(place, act):
        with app.app_context():
            try:
                steps = act()
                if alone:
                    barrier.wait(PATIENCE)
                    next(steps)
                else:
                    next(steps)
                    barrier.wait(PATIENCE)
                next(steps, None)
                db.session.commit()
            except DomainError as refusal:
                outcomes[place] = refusal
            except Exception as failure:  # noqa: BLE001 -- told in the thread of the test
                barrier.abort()
                outcomes[place] = failure
            finally:
                db.session.rollback()
                db.session.remove()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    failures = [it for it in outcomes if it is not None and not isinstance(it, DomainError)]
    assert not failures, failures
    return outcomes
