"""The queues. Redis carries hints only: losing one costs time, never a transition."""

from enum import StrEnum

from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer


class QueueName(StrEnum):
    """One queue per worker process, so that no job is lost between pop and start."""

    FLEET = "fleet"
    MAIL = "mail"
    DESK = "desk"
    BACKTESTS = "backtests"
    PREVIEWS = "previews"


JOBS = {
    "advance_bot": "app.jobs.fleet.advance_bot",
    "advance_bots": "app.jobs.fleet.advance_bots",
    "sweep_cloud": "app.jobs.fleet.sweep_cloud",
    "delete_find": "app.jobs.fleet.delete_find",
    "advance_task": "app.jobs.fleet.advance_task",
    "send_mail": "app.jobs.mail.send_mail",
    "take_in_mail": "app.jobs.mail_in.take_in_mail",
    "ring_telegram": "app.jobs.telegram.ring_telegram",
    "take_update": "app.jobs.telegram.take_update",
    "look_telegram": "app.jobs.telegram.look_telegram",
    "sign_checkpoint": "app.jobs.checkpoints.sign_checkpoint",
    "look_around": "app.jobs.status.look_around",
    "look_at_costs": "app.jobs.costs.look_at_costs",
    "send_statement": "app.jobs.costs.send_statement",
    "follow_breach": "app.jobs.breaches.follow_breach",
    "share_no_account": "app.jobs.accounts.share_no_account",
    "spread_update": "app.jobs.status.spread_update",
    "run_backtest": "app.jobs.backtests.run_backtest",
    "check_readiness": "app.jobs.backtests.check_readiness",
    "run_preview": "app.jobs.previews.run_preview",
    "run_dry_run": "app.jobs.backtests.run_dry_run",
    "run_certification": "app.jobs.backtests.run_certification",
}
"""What may be asked for, by name: nobody who can write to Redis gets to call anything else."""

_HOUR = 3600
_SECONDS = {QueueName.BACKTESTS: 1500}
"""What a job may take where it is not a minute."""


def connect(url: str) -> Redis:
    """A connection with timeouts; nobody waits for ever."""
    return Redis.from_url(url, socket_timeout=10, socket_connect_timeout=5)


def open_queue(name: QueueName, connection: Redis) -> Queue:
    """A queue that carries JSON and no pickles."""
    return Queue(
        name.value,
        connection=connection,
        serializer=JSONSerializer,
        default_timeout=_SECONDS.get(name, 60),
    )


def hand_over(
    queue: Queue, job: str, job_id: str, arguments: dict[str, str], *, at_front: bool = False
) -> None:
    """Enqueue a job by name. A finished one leaves no trace, so its id can be used again."""
    queue.enqueue_call(
        JOBS[job],
        kwargs=arguments,
        job_id=job_id,
        result_ttl=0,
        failure_ttl=_HOUR,
        at_front=at_front,
    )
