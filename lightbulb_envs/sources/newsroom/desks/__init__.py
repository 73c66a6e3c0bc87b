"""The table of desks. A row's place is part of every document: append, never insert."""

from lightbulb_envs.sources.newsroom.desk import Desk
from lightbulb_envs.sources.newsroom.desks.business import BUSINESS
from lightbulb_envs.sources.newsroom.desks.courts import COURTS
from lightbulb_envs.sources.newsroom.desks.disasters import DISASTERS
from lightbulb_envs.sources.newsroom.desks.politics import POLITICS
from lightbulb_envs.sources.newsroom.desks.science import SCIENCE
from lightbulb_envs.sources.newsroom.desks.sport import SPORT

DESKS: tuple[Desk, ...] = (DISASTERS, POLITICS, BUSINESS, SPORT, SCIENCE, COURTS)

__all__ = ["DESKS"]
