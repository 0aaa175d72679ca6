import { type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { Refusal } from "./refusal.js";

/** How long a client that was refused has to read why. */
const LINGER_MS = 2000;
const TEXT = "text/plain; charset=utf-8";

const bodyOf = (refusal: Refusal): string => `git kai-version: ${refusal.message}\n`;

/** Tells a refusal as an answer, or ends the connection where one has begun. */
export function answerRequest(response: ServerResponse, refusal: Refusal): void {
  try {
    const { status } = refusal;
    // The reason phrase too, since a host's one may have been the very thing that could not be passed on.
    response.writeHead(status, STATUS_CODES[status], { "Content-Type": TEXT, Connection: "close" });
    response.end(bodyOf(refusal));
  } catch {
    response.destroy();
  }
}

/** The same on a connection that no answer belongs to, or one that was to be a tunnel. */
export function answerSocket(socket: Socket, refusal: Refusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = bodyOf(refusal);
  const lines = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    `Content-Type: ${TEXT}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  socket.end(`${lines.join("\r\n")}\r\n\r\n${body}`);
  // What it goes on sending is thrown away, so that it gets to read why.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}
