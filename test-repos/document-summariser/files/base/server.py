"""The agent over HTTP, on this machine only."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HEALTH_QUESTION = "Is the agent well?"


def serve(agent, port):
    server = ThreadingHTTPServer(("127.0.0.1", port), handler_for(agent))
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def handler_for(agent):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path != "/health":
                return self.reply(404, {"error": "not found"})
            try:
                agent.answer(HEALTH_QUESTION)
            except Exception as error:
                return self.reply(503, {"status": "ill", "error": str(error)})
            return self.reply(200, {"status": "well", "remembered": agent.memory().size()})

        def do_POST(self):
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
