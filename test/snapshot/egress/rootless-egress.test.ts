import { execFile } from "node:child_process";
import { cpSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { scratch } from "../../support/scratch.js";
import { strangerIn } from "../../support/stranger.js";
import { EXPECTED, summaryOf } from "./expected.js";

test("rootless, an agent reaches the one host that is allowed and nothing else either", async () => {
  const { dir, env } = scratch();
  const base = path.dirname(dir);
  const program = path.join(base, "program");
  await build({
    entryPoints: [path.join(import.meta.dirname, "rootless-agent.ts")],
    outfile: path.join(program, "agent.mjs"),
    ...{ bundle: true, platform: "node", format: "esm", target: "node20.19", logLevel: "error" },
  });
  cpSync(path.join(import.meta.dirname, "attempts.py"), path.join(program, "attempts.py"));
  const started = [path.join(program, "agent.mjs"), path.join(base, "cache"), dir] as const;
  const stranger = process.getuid?.() === 0 ? strangerIn(base, env["HOME"] ?? "") : undefined;
  const [file, ...args] = stranger?.command(...started) ?? [process.execPath, ...started];
  const options = { env: { ...env, ...stranger?.env }, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)(file, args, options);
  const tried = JSON.parse(stdout);
  expect(tried.seen).toEqual(EXPECTED.seen);
  expect(summaryOf(tried)).toEqual(EXPECTED.summary);
});
