import { type ClientRequest, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { type Duplex, pipeline } from "node:stream";
import { endToEndHeaders, requestHeaders } from "./forwarded-headers.js";
import { Refusal } from "./refusal.js";
import type { RequestTarget } from "./request-target.js";

export const LARGEST_HEAD = 16 * 1024;

/**
 * Asks a server, over a connection of its own, what a client asked the proxy, and gives back its answer. Rejects with a refusal where
 * nothing was answered yet, else the client sees its connection end.
 */
export function relay(
  { incoming, outgoing }: { incoming: IncomingMessage; outgoing: ServerResponse },
  target: RequestTarget,
  upstream: Duplex,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = ask(incoming, target, upstream);
    let answered = false;
    asked.once("response", (answer) => {
      answered = true;
      try {
        // Without the host's own words for the status, in which it may write what Node would not send.
        outgoing.writeHead(answer.statusCode ?? 0, endToEndHeaders(answer.rawHeaders));
      } catch (cause) {
        reject(brokenOff(cause as Error));
        return;
      }
      // Heard before the pipeline ends the client's connection, so that the record says who broke off.
      answer.once("error", (error) => reject(brokenOff(error)));
      pipeline(answer, outgoing, (error) => {
        if (error) reject(brokenOff(error));
      });
    });
    asked.on("error", (error) => reject(brokenOff(error)));
    // Such as by an upgrade that nobody asked for.
    asked.once("close", () => {
      if (!answered) reject(brokenOff(new Error("no answer")));
    });
    outgoing.once("finish", () => {
      // Whoever answers before it has heard all will not hear the rest.
      if (!incoming.complete) incoming.socket.destroySoon();
    });
    outgoing.once("close", () => {
      asked.destroy();
      upstream.destroy();
      if (outgoing.writableFinished) resolve();
      else reject(new Refusal(BAD_GATEWAY, "the connection was broken off", { forbidden: false }));
    });
    incoming.pipe(asked);
  });
}

const BAD_GATEWAY = 502;

function ask(incoming: IncomingMessage, target: RequestTarget, upstream: Duplex): ClientRequest {
  const { method = "GET", rawHeaders } = incoming;
  return httpRequest({
    method,
    path: target.path,
    headers: requestHeaders({ method, rawHeaders }, target),
    // Without an agent: no connection is used twice, and no proxy of this machine's environment is asked.
    createConnection: () => upstream,
    maxHeaderSize: LARGEST_HEAD,
    insecureHTTPParser: false,
  });
}

function brokenOff(cause: Error): Refusal {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new Refusal(BAD_GATEWAY, `the host's answer broke off: ${code ?? message}`, { forbidden: false, cause });
}
