"""The agent over HTTP, on this machine only. Where it listens is said in run/service.json while it does."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HEALTH_QUESTION = "Is the agent well?"


def serve(agent, port):
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_for(agent))
    url = f"http://127.0.0.1:{server.server_port}"
    place = write_place(agent.root / "run", url)
    signal.signal(signal.SIGTERM, lambda *_: stop(server))
    # One connection stays open, as in most services: the database is in use as long as the agent runs.
    held = agent.memory().connect()
    held.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
    print(f"listening on {url}", flush=True)
    try:
        server.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        pass
    finally:
        held.close()
        server.server_close()
        place.unlink(missing_ok=True)
        print("stopped", flush=True)


def stop(server):
    # From the thread that serves, shutdown would wait for itself.
    threading.Thread(target=server.shutdown).start()


def write_place(folder, url):
    folder.mkdir(exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    place = folder / "service.json"
    aside = folder / f"service.json.{os.getpid()}"
    aside.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
    os.replace(aside, place)
    return place


def handler_for(agent):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/health":
                return self.reply(404, {"error": "not found"})
            try:
                agent.answer(HEALTH_QUESTION)
                remembered = agent.memory().size()
            except Exception as error:
                return self.reply(503, {"status": "ill", "error": str(error)})
            return self.reply(200, {"status": "well", "remembered": remembered})

        def do_POST(self):
            if self.path == "/stop":
                self.reply(200, {"status": "stopping"})
                return stop(self.server)
            if self.path != "/ask":
                return self.reply(404, {"error": "not found"})
            try:
                body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
                question = body["question"]
            except (ValueError, KeyError, TypeError):
                return self.reply(400, {"error": 'send {"question": "..."}'})
            try:
                return self.reply(200, {"answer": agent.ask(question)})
            except Exception as error:
                return self.reply(500, {"error": str(error)})

        def reply(self, status, value):
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler
