#!/usr/bin/env python
from datetime import date, timedelta

from market_watch.crew import MarketWatch


def run():
    inputs = {"market": "coffee", "since": (date.today() - timedelta(days=7)).isoformat()}
    MarketWatch().crew().kickoff(inputs=inputs)
