"""How long a long audit log takes to verify: ``python -m tests.bench.chain [EVENTS]``.

The log is made by the arithmetic of the chain and not by ``record``, which would take minutes.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert, select

from app.domain import audit, audit_chain, audit_check, audit_export, audit_file
from app.extensions import db
from app.models import AuditEvent, AuditHead
from tests import factories, site
from tests.factories import NOW, TESTER

BATCH = 5000


def grow(chain, count):
    """Lengthen a chain to ``count`` events that are like its last one."""
    last = db.session.scalars(
        select(AuditEvent).where(AuditEvent.chain == chain).order_by(AuditEvent.seq.desc())
    ).first()
    row = {column.name: getattr(last, column.name) for column in AuditEvent.__table__.columns}
    said, connection = audit_chain.plain(last), db.session.connection()
    for first in range(last.seq + 1, count + 1, BATCH):
        batch = []
        for seq in range(first, min(first + BATCH, count + 1)):
            said |= {"seq": seq, "id": f"evt_{seq}", "previous_hash": said["hash"]}
            said["payload_hash"] = audit_chain.payload_hash(said)
            said["hash"] = audit_chain.link_hash(chain, said)
            names = ("seq", "id", "previous_hash", "payload_hash", "hash")
            batch.append(row | {name: said[name] for name in names})
        connection.execute(insert(AuditEvent.__table__), batch)
    head = db.session.get(AuditHead, chain)
    head.seq, head.hash = count, said["hash"]
    db.session.commit()


def measured(name, act):
    """Do it; print the seconds of the processor, those on the wall, and the memory it took."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worked, began = time.process_time(), time.monotonic()
    found = act()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(
        f"{name}: {time.process_time() - worked:.1f} s of the processor, "
        f"{time.monotonic() - began:.1f} s, {used // 1024} MiB more"
    )
    return found


def main(count):
    """Grow a log, export it, verify it in the database and as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        with site.build(path).app_context():
            chain = factories.organisation().id
            change = audit.Change("limits.max_notional", "100", "250")
            audit.record("bot.configure", by=TESTER, now=NOW, workspace_id=chain, changes=[change])
            db.session.commit()
            grow(chain, count)
            verdict = measured("in the database", lambda: audit_check.verify(chain, ()))
            assert verdict.sound_up_to == count
            export = audit_export.of_workspace(chain, NOW)
            file = path / "log.jsonl"
            with file.open("w") as output:
                measured("export", lambda: output.writelines(audit_export.lines(export)))
            with file.open() as lines:
                finding = measured("as a file", lambda: audit_file.verify(lines))
            assert finding.sound_up_to == count
            db.session.remove()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
