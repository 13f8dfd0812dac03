"""A workspace with one of everything in it; every text a person wrote there holds its marker."""

import hashlib
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

from sqlalchemy import select

from app import current
from app.domain import mail, notices, outbox, strategy_tags
from app.domain.inbound import store
from app.domain.inbound.store import Arrival
from app.domain.support import canned, notes, tickets
from app.domain.support.events import Voice
from app.domain.support.said import NewFile, Said, Wanted
from app.extensions import db
from app.models import (
    AddressEvent,
    AddressEventKind,
    AlarmKind,
    Approval,
    ApprovalKind,
    AuditCheckpoint,
    AuditEvent,
    AuthorKind,
    BillingContact,
    BillingTerms,
    BotAlarm,
    BotCommand,
    Budget,
    BudgetAlert,
    CallState,
    CashFlow,
    Checkpoint,
    CloudFind,
    CloudOperation,
    Condition,
    DiagnosticBundle,
    Environment,
    FindKind,
    FindState,
    FleetAlarm,
    FleetNotice,
    FleetUpgrade,
    Hold,
    IdlePayer,
    InboundMail,
    Incident,
    IncidentState,
    Invitation,
    InvitationLink,
    Kill,
    KillAct,
    KillBot,
    KillScope,
    LimitBreach,
    MachineConsole,
    MailDecision,
    MessageEdit,
    MessageFile,
    Notice,
    OperationState,
    OwnershipOffer,
    ProtectionRow,
    Renewal,
    Resource,
    Role,
    RunnerNotice,
    Signal,
    SignalHook,
    SignalState,
    SupportAccess,
    SweepRun,
    TelegramCall,
    TicketCategory,
    TradeNote,
    TradeRow,
    TradeTag,
    UpgradeStep,
    UsageInterval,
)
from app.models.base import new_id
from runner.protocol import CommandKind, FlowKind, Mode, OnBreach, ProtectionState
from tests import backtested, certified, coded, factories, previewed, readied, telling

TOKEN = "0" * 43
"""What an invitation's link of an estate ends in, after the id of its workspace."""


def furnish(workspace, people, now, sealer, marker=""):
    """Fill ``workspace``; ``people`` are its members by role. Returns the ids of what is in it."""
    made = SimpleNamespace(workspace=workspace.id, home=f"/w/{workspace.id}")
    workspace.name = f"{marker}Desk"
    _trade(workspace, people, now, sealer, marker, made)
    for part in (_machinery, _cloud, _billing, _telling, _people, _talk, _letters):
        part(workspace, people, now, marker, made)
        db.session.flush()
    return made


def _trade(workspace, people, now, sealer, marker, made):
    strategy = factories.strategy(workspace, now=now)
    version = strategy.latest
    strategy.name, strategy.summary = f"{marker}Drift", f"{marker}summary"
    strategy.copied_from = {
        "workspace": f"{marker}Home",
        "strategy": f"{marker}Old",
        "version": 2,
        "at": now.isoformat(),
        "by": f"{marker}Somebody",
    }
    version.note = f"{marker}note"
    strategy_tags.lay(strategy, [f"{marker}tag"])
    backtest = backtested.row(version, now, note=f"{marker}question", log=f"{marker}said")
    made.backtest = backtest.id
    step = {"symbol": "BTC/USDT:USDT", "step": f"{marker}step"}
    preview = previewed.row(workspace, version.rules, now, **step)
    made.preview = preview.id
    made.dry_run = coded.dry_run(workspace, now, name=f"{marker}Class", note=f"{marker}said").id
    coded.task(workspace, now, subject=made.dry_run, problem=f"{marker}cloud")
    connection = factories.connection(workspace, sealer, now=now, label=f"{marker}Account")
    connection.findings = {"address": f"{marker}finding"}
    values = {"now": now, "version": version}
    awake = factories.bot(workspace, name=f"{marker}Tide", **values)
    resting = factories.bot(workspace, name=f"{marker}Moon", **values)
    tested = factories.bot(
        workspace, name=f"{marker}Test", mode=Mode.TESTNET, connection=connection, **values
    )
    spare = factories.connection(workspace, sealer, now=now, label=f"{marker}Spare")
    certification = certified.run(spare, now, log=f"{marker}log", detail=f"{marker}seen")
    made.certification_run = certification.id
    made.strategy, made.version, made.number = strategy.id, version.id, version.number
    made.connection, made.spare = connection.id, spare.id
    made.bot, made.resting, made.tested = awake.id, resting.id, tested.id
    assert connection.environment is Environment.TESTNET
    readied.row(resting, now, log=f"{marker}compared")
    made.rows = SimpleNamespace(bot=awake, resting=resting, connection=connection)


def _machinery(workspace, _people, now, marker, made):
    bot = made.rows.bot
    machine = telling.awake(bot, now)
    telling.session(bot, machine, now, candles=120, trades=1)
    machine.end_reason = f"{marker}reason"
    made.run, made.machine = machine.run_id, machine.id
    found = select(TradeRow.id).where(TradeRow.run_id == machine.run_id)
    made.trade = db.session.scalars(found.order_by(TradeRow.number)).first()
    about = {"workspace_id": workspace.id, "trade_id": made.trade}
    db.session.add(TradeNote(**about, text=f"{marker}thought", written_at=now))
    db.session.add(TradeTag(**about, name=f"{marker}tag"))
    made.month = f"{now:%Y-%m}"
    own = {"workspace_id": workspace.id, "bot_id": bot.id}
    db.session.add_all(
        [
            CloudOperation(
                **own,
                generation=1,
                kind="insert",
                request_id=new_id("r")[:36],
                state=OperationState.FAILED,
                detail=f"{marker}detail",
                started_at=now,
            ),
            BotCommand(**own, kind=CommandKind.RELOAD, created_at=now, outcome=f"{marker}outcome"),
            AddressEvent(
                **own,
                kind=AddressEventKind.SEEN_BY_GATE,
                at=now,
                ip="127.64.0.9",
                detail=f"{marker}seen",
            ),
            UsageInterval(
                **own, resource=Resource.ADDRESS, region=f"{marker}region"[:40], started_at=now
            ),
            Checkpoint(
                workspace_id=workspace.id,
                run_id=machine.run_id,
                generation=1,
                seq=1,
                state={"memo": f"{marker}state"},
                at=now,
            ),
        ]
    )


def _cloud(workspace, people, now, _marker, made):
    """What operators look after: of no workspace, and so without words of one."""
    own = {"region": "local", "first_seen": now, "last_seen": now}
    name = f"b-{workspace.id[-12:]}-g9"
    find = CloudFind(kind=FindKind.MACHINE, state=FindState.HELD, name=name, **own)
    alarm = FleetAlarm(
        kind=AlarmKind.FOUND, key=f"found {name}", message="Look at it.", since=now, seen_at=now
    )
    upgrade = FleetUpgrade(
        version=workspace.id[-12:], policy=Renewal.DRAIN, at_once=5, total=1, started_at=now
    )
    banner = FleetNotice(
        text="The database moves.", starts_at=now, ends_at=now + timedelta(hours=1)
    )
    console = MachineConsole(machine_id=made.machine, text="kernel: started", read_at=now)
    run = SweepRun(at=now, complete=True)
    db.session.add_all([find, alarm, upgrade, banner, console, run])
    db.session.flush()
    step = UpgradeStep(upgrade_id=upgrade.id, bot_id=made.bot, generation=1, asked_at=now)
    db.session.add(step)
    private = certified.key()
    made.tester = certified.pinned(private, now).id
    made.certification = certified.taken(private, now).id
    made.find, made.alarm, made.upgrade, made.banner = find.id, alarm.id, upgrade.id, banner.id


def _billing(workspace, _people, now, marker, made):
    own = {"workspace_id": workspace.id}
    told = f"{marker}bills@example.com".lower()
    contact = BillingContact(
        **own, name=f"{marker}Bills", email=told, email_key=told, asked_at=now, added_at=now
    )
    limits = {"max_bots": 50, "max_machines": 50, "max_spend": Decimal(900)}
    db.session.add_all(
        [
            BillingTerms(
                **own,
                from_month="2026-01",
                markup_percent=Decimal(10),
                idle_payer=IdlePayer.WORKSPACE,
                changed_at=now,
                **limits,
            ),
            Budget(**own, amount=Decimal(100), changed_at=now),
            BudgetAlert(
                **own,
                month=f"{now:%Y-%m}",
                percent=50,
                amount=Decimal(100),
                spent=Decimal(51),
                told_at=now,
            ),
            contact,
        ]
    )
    db.session.flush()
    made.contact = contact.id


def _telling(workspace, _people, now, marker, made):
    """What the runner wrote in words."""
    own = {"workspace_id": workspace.id, "bot_id": made.bot, "run_id": made.run}
    db.session.add(
        RunnerNotice(**own, level="warning", code="note", message=f"{marker}told", at=now)
    )
    _money(own, now, marker)
    _safety(workspace, now, marker, made)
    _signals(own, now, marker)
    order = factories.order(made.rows.bot, made.run, f"{marker}o1", "filled")
    order.reason = f"{marker}why"


def _signals(own, now, marker):
    """What came in at the webhook of a bot."""
    place = {"workspace_id": own["workspace_id"], "bot_id": own["bot_id"]}
    hook = SignalHook(
        **place, sealed=b"sealed", hint="1234", aliases={f"{marker}X": "BTC"}, created_at=now
    )
    hook.rotated_at = now
    came = {"received_at": now, "last_at": now, "reason": f"{marker}why"}
    said = {"comment": f"{marker}comment"}
    db.session.add_all([hook, Signal(**place, state=SignalState.REJECTED, said=said, **came)])


def _money(own, now, marker):
    """What it told of money and its protection."""
    place = {"workspace_id": own["workspace_id"], "bot_id": own["bot_id"], "symbol": "BTC"}
    hundred = Decimal(100)
    db.session.add_all(
        [
            CashFlow(
                **own,
                flow_id=f"{marker}f1",
                kind=FlowKind.DEPOSIT,
                amount=hundred,
                currency="USDT",
                at=now,
            ),
            ProtectionRow(
                **place, state=ProtectionState.MISSING, why=f"{marker}why", reported_at=now
            ),
            LimitBreach(
                **own,
                limit="max_daily_loss",
                value=hundred,
                bound=hundred,
                policy=OnBreach.PAUSE,
                text=f"{marker}passed",
                at=now,
            ),
        ]
    )


def _safety(workspace, now, marker, made):
    """What keeps its bots from entering, and what rings."""
    own = {"workspace_id": workspace.id}
    kill = Kill(
        **own,
        act=KillAct.PAUSE,
        scope=KillScope.BOT,
        reason=f"{marker}wild",
        press=f"{workspace.id} {marker}",
        at=now,
    )
    alarm = BotAlarm(
        **own, bot_id=made.resting, code="foreign", text=f"{marker}rings", first_at=now, last_at=now
    )
    lifted = Hold(cause="operator", text="Over.", since=now, lifted_at=now)
    db.session.add_all([kill, alarm, lifted])
    db.session.flush()
    db.session.add(KillBot(**own, kill_id=kill.id, bot_id=made.bot, paused=False))
    made.kill, made.bot_alarm, made.hold = kill.id, alarm.id, lifted.id


def _people(workspace, people, now, marker, made):
    token = f"{workspace.id}{TOKEN}"
    asked = f"{marker}asked{workspace.id[-6:]}@example.com".lower()
    invitation = Invitation(
        workspace_id=workspace.id,
        email=asked,
        email_key=asked,
        role=Role.VIEWER,
        invited_by=people["owner"].id,
        created_at=now,
        expires_at=now + timedelta(days=7),
    )
    db.session.add(invitation)
    db.session.flush()
    offer = OwnershipOffer(
        workspace_id=workspace.id,
        from_id=people["owner"].id,
        to_id=people["admin"].id,
        created_at=now,
        expires_at=now + timedelta(days=7),
    )
    approval = Approval(
        workspace_id=workspace.id,
        kind=ApprovalKind.RAISE_BOT_LIMITS,
        bot_id=made.resting,
        digest="0" * 64,
        wanted={"max_daily_loss": "100"},
        changes=[{"field": "max_daily_loss", "before": "50", "after": f"{marker}100"}],
        reason=f"{marker}because",
        requested_by=people["trader"].id,
        created_at=now,
        expires_at=now + timedelta(hours=24),
    )
    link = InvitationLink(
        workspace_id=workspace.id,
        invitation_id=invitation.id,
        token_hash=hashlib.sha256(token.encode()).hexdigest(),
        created_at=now,
        mailed=True,
    )
    db.session.add_all([offer, approval, link])
    db.session.flush()
    made.invitation, made.token = invitation.id, token
    made.offer, made.approval = offer.id, approval.id


def _talk(workspace, people, now, marker, made):
    trader, operator = people["trader"], AuthorKind.OPERATOR
    asked = Wanted(f"{marker}subject", TicketCategory.BOT)
    said = Said(f"{marker}message")
    voice = Voice(AuthorKind.USER, factories.TESTER, trader.id)
    ticket = tickets.open_ticket(workspace, trader, asked, said, voice=voice, now=now)
    desk = Voice(operator, factories.TESTER, people["owner"].id)
    beside = NewFile(
        f"{marker}note.txt", "text/plain", "text/plain", 4, "0" * 64, f"attachments/n{ticket.id}"
    )
    note = notes.add(ticket, f"{marker}note", voice=desk, now=now, files=(beside,))
    made.note_file, made.beside = note.files[0].id, beside.storage_key
    (message,) = ticket.messages
    made.ticket, made.message = ticket.id, message.id
    call = db.session.scalars(
        select(TelegramCall).where(TelegramCall.ticket_id == ticket.id)
    ).first()
    call.state = CallState.FAILED
    made.call = call.id
    made.note, made.reply = note.id, _reply(people["owner"], now, marker, workspace).id
    own = {"workspace_id": workspace.id}
    edit = MessageEdit(message_id=message.id, body=f"{marker}earlier", edited_at=now, **own)
    file = MessageFile(
        message_id=message.id,
        name=f"{marker}file.txt",
        declared_type="text/plain",
        sniffed_type="text/plain",
        size=4,
        sha256="0" * 64,
        storage_key=f"attachments/{ticket.id}",
        created_at=now,
        **own,
    )
    bundle = DiagnosticBundle(
        ticket_id=ticket.id,
        bot_id=made.resting,
        body={"bot": f"{marker}Moon"},
        sha256="0" * 64,
        consented_by=trader.id,
        created_at=now,
        expires_at=now + timedelta(days=90),
        **own,
    )
    look = SupportAccess(
        ticket_id=ticket.id,
        operator_id=people["owner"].id,
        reason=f"{marker}reason",
        minutes=30,
        asked_at=now,
        **own,
    )
    made.inbound = _mailed(message, people["trader"], now, marker)
    incident = Incident(
        title="Slow orders",
        state=IncidentState.RESOLVED,
        impact=Condition.DEGRADED,
        began_at=now - timedelta(hours=2),
        resolved_at=now - timedelta(hours=1),
        created_at=now - timedelta(hours=2),
    )
    db.session.add_all([edit, file, bundle, look, incident])
    db.session.flush()
    made.stored = file.storage_key
    made.file, made.bundle, made.look = file.id, bundle.id, look.id
    made.incident = incident.id


def _mailed(message, sender, now, marker):
    """The same message once more, as a mail that came in."""
    text = f"From: {sender.email}\nSubject: {marker}mailed\n\n{marker}original {message.id}"
    arrival = Arrival("raw", message.id, sender.email, "support@reply.example.org", text.encode())
    store.keep(arrival, locker=current.mail_locker(), now=now)
    row = db.session.scalars(select(InboundMail).where(InboundMail.event_id == message.id)).one()
    row.decision, row.sender = MailDecision.APPENDED, sender.email
    row.ticket_id, row.message_id, row.decided_at = message.ticket_id, message.id, now
    row.verdicts = {"subject": f"{marker}mailed", "proof": "pass"}
    message.inbound_id = row.id
    return row.id


def _reply(author, now, marker, workspace):
    title = f"{marker}reply {workspace.id[-8:]}"
    return canned.create(title, "Hello {name}", author=author, by=factories.TESTER, now=now)


def _letters(workspace, people, now, marker, made):
    about = {"now": now, "workspace_id": workspace.id}
    person = people["owner"]
    made.letter = mail.post(
        "invitation", to=person.email, name=person.name, link=f"/{marker}", **about
    ).id
    notices.tell(
        [person.id],
        f"{marker}title",
        key=f"{marker}{workspace.id}",
        body=f"{marker}body",
        path=made.home,
        **about,
    )
    outbox.put("fleet", "advance_bot", bot_id=made.bot, **about)
    db.session.add(
        AuditCheckpoint(
            chain=workspace.id, seq=1, hash="0" * 64, made_at=now, signature="s", key_id="k"
        )
    )
    db.session.flush()
    found = select(Notice.id).where(Notice.workspace_id == workspace.id)
    made.notice = db.session.scalar(found)
    made.event = db.session.scalar(
        select(AuditEvent.id).where(AuditEvent.workspace_id == workspace.id).limit(1)
    )
