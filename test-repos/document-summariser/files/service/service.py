#!/usr/bin/env python3
"""The running agent, from outside: starts it, stops it, says whether it is well, and asks it."""

import argparse
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PLACE = ROOT / "run" / "service.json"
PATIENCE = 10


class NotRunning(Exception):
    """Nobody listens where the agent said it would."""


def request(path, body=None):
    try:
        url = json.loads(PLACE.read_text(encoding="utf-8"))["url"]
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url + path, data=data), timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except (OSError, ValueError, KeyError) as error:
        raise NotRunning("the agent does not run") from error


def is_running():
    try:
        request("/health")
    except NotRunning:
        return False
    return True


def wait_until(holds, what):
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise SystemExit(f"service.py: {what} after {PATIENCE} s")
        time.sleep(0.05)


def start():
    if is_running():
        return "it runs already"
    (ROOT / "run").mkdir(exist_ok=True)
    (ROOT / "run" / ".gitignore").write_text("*\n", encoding="utf-8")
    with open(ROOT / "run" / "service.log", "ab") as log:
        command = [sys.executable, str(ROOT / "logic.py"), "--serve", "--port", "0"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    wait_until(lambda: process.poll() is not None or is_running(), "it does not listen")
    if process.poll() is not None:
        raise SystemExit(f"service.py: it ended with status {process.returncode}: see run/service.log")
    return "started"


def stop():
    try:
        request("/stop", {})
    except NotRunning:
        return "it does not run"
    wait_until(lambda: not PLACE.exists(), "it still runs")
    return "stopped"


def health():
    status, said = request("/health")
    if status != 200:
        raise SystemExit(f"ill: {said.get('error', status)}")
    return f"well, {said['remembered']} answers remembered"


def ask(question):
    status, said = request("/ask", {"question": question})
    if status != 200:
        raise SystemExit(f"no answer: {said.get('error', status)}")
    return said["answer"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("start", "stop", "health"):
        actions.add_parser(name)
    actions.add_parser("ask").add_argument("question")
    arguments = parser.parse_args()
    try:
        print(ask(arguments.question) if arguments.action == "ask" else globals()[arguments.action]())
    except NotRunning as error:
        raise SystemExit(f"service.py: {error}") from error


if __name__ == "__main__":
    main()
