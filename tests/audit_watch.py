"""Watches a web application's database: who changes an audited row leaves exactly one event.

Works on what is really sent to the database, so it covers every route that any test presses,
bulk statements included.
"""

import re

from flask import has_request_context, request
from sqlalchemy import event

from app.domain.audit_columns import AUDITED, Treatment
from app.extensions import db
from app.models import AuditEvent

_WRITE = re.compile(r'\s*(INSERT INTO|UPDATE|DELETE FROM) "?(\w+)"?', re.IGNORECASE)
_SET = re.compile(r"\bSET (.*?)(?: WHERE |$)", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(r'"?(\w+)"?\s*=')


class Watch:
    """Collects, request by request, the audited tables changed and the events written."""

    def __init__(self, app):
        self.faults, self.pending, self.tables, self.events = [], [], set(), []
        app.before_request(self._begin)
        app.teardown_request(self._judge)
        with app.app_context():
            self.engine = db.engine
            event.listen(db.engine, "after_cursor_execute", self._seen)
            event.listen(db.engine, "commit", self._committed)
            event.listen(db.engine, "rollback", self._forgotten)
        event.listen(AuditEvent, "after_insert", self._told)

    def _begin(self):
        self.pending, self.tables, self.events = [], set(), []

    def _told(self, _mapper, connection, row):
        if has_request_context() and connection.engine is self.engine:
            self.pending.append(("EVENT", "", (row.chain, row.action, row.target_id)))

    def _seen(self, _connection, _cursor, statement, _parameters, _context, _many):
        if has_request_context() and (match := _WRITE.match(statement)):
            self.pending.append((match[1].upper(), match[2], statement))

    def _forgotten(self, _connection):
        self.pending = []

    def _committed(self, _connection):
        for verb, table, said in self.pending:
            if verb == "EVENT":
                self.events.append(said)
            elif table in AUDITED and self._tells(verb, table, said):
                self.tables.add(table)
        self.pending = []

    @staticmethod
    def _tells(verb, table, statement):
        if verb != "UPDATE":
            return True
        changed = set(_NAME.findall(_SET.search(statement)[1]))
        told = AUDITED[table].treatments()
        return any(told.get(name) is not Treatment.IGNORE for name in changed)

    def _judge(self, _error):
        where = f"{request.method} {request.url_rule}"
        if self.tables and not self.events:
            self.faults.append(f"{where} changed {sorted(self.tables)} and left no event")
        twice = sorted({str(item) for item in self.events if self.events.count(item) > 1})
        if twice:
            self.faults.append(f"{where} left the same event twice: {twice}")
