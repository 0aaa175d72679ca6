import { type AddressInfo, createServer } from "node:net";

/** Seconds that `bytes` take into a sandbox, and out again; `python` runs a script in it, `address` is this host's as seen there. */
export async function transfer(
  bytes: number,
  address: string,
  python: (script: string) => Promise<string>,
): Promise<number[]> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write(Buffer.alloc(bytes));
    let received = 0;
    socket.on("data", (chunk) => {
      received += chunk.length;
      if (received === bytes) socket.end("all");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  const script = [
    "import socket, time",
    `link = socket.create_connection(("${address}", ${(server.address() as AddressInfo).port}), 20)`,
    "start, got = time.monotonic(), 0",
    `while got < ${bytes}: got += len(link.recv(65536))`,
    "print(time.monotonic() - start)",
    "start = time.monotonic()",
    `link.sendall(bytes(${bytes}))`,
    "link.recv(3)",
    "print(time.monotonic() - start)",
  ].join("\n");
  const printed = await python(script).finally(() => server.close());
  return printed.trim().split("\n").map(Number);
}
