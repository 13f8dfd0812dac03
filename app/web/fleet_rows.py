"""Rows of the fleet named in an operator's address, or 404."""

from flask import abort

from app import current
from app.domain import banners, fleet_list, fleet_story, upgrades
from app.models import Bot, CloudFind, FleetAlarm, FleetNotice, FleetUpgrade


def bot(bot_id: str) -> Bot:
    """A bot of any workspace, one that is gone included: its machines are still told of."""
    line = fleet_list.one(bot_id)
    return line.compute.bot if line is not None else abort(404)


def alarm(alarm_id: str) -> FleetAlarm:
    """An alarm, open or over."""
    return fleet_story.alarm(alarm_id) or abort(404)


def find(find_id: str) -> CloudFind:
    """Something that a sweep has found."""
    return fleet_story.find(find_id) or abort(404)


def upgrade(upgrade_id: str) -> FleetUpgrade:
    """A rolling upgrade, under way or over."""
    return upgrades.find(upgrade_id) or abort(404)


def banner(banner_id: str) -> FleetNotice:
    """A banner, shown or not."""
    return banners.find(banner_id) or abort(404)


def region(name: str) -> str:
    """A region that is set, was seen, or has bots."""
    known = {*current.config().compute.regions, *fleet_story.cloud_regions(), *fleet_list.regions()}
    return name if name in known else abort(404)
