"""Trends: each person against their own baseline, for many people at once. numpy and nothing else.

`assess_window` is what the server asks; `evaluate` scores any history as of each of its days.
"""

from .absence import Absence, absence
from .evaluation import Evaluation, evaluate
from .limits import TARGETS, Limits, parse_limits, shipped_limits
from .outlook import Level, Outcome, Outlook, outlook
from .outlook_features import Screen, WeeklyHistory
from .readings import LONGEST_RUN_DAYS, Readings, SignalReadings
from .results import RULESET, TRENDS, Tier, Trend
from .signals import BY_NAME, SIGNALS, Signal, chosen
from .window import DAYS_NEEDED, WindowAssessment, assess_window

__all__ = [
    "BY_NAME",
    "DAYS_NEEDED",
    "LONGEST_RUN_DAYS",
    "RULESET",
    "SIGNALS",
    "TARGETS",
    "TRENDS",
    "Absence",
    "Evaluation",
    "Level",
    "Limits",
    "Outcome",
    "Outlook",
    "Readings",
    "Screen",
    "Signal",
    "SignalReadings",
    "Tier",
    "Trend",
    "WeeklyHistory",
    "WindowAssessment",
    "absence",
    "assess_window",
    "chosen",
    "evaluate",
    "outlook",
    "parse_limits",
    "shipped_limits",
]
