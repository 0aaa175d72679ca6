import { expect, test } from "vitest";
import { CONFINED, ESCAPE } from "./escape.js";
import { bench, sharedCache, testInSandbox } from "./sandbox.js";

const cache = sharedCache();

test("nothing leads out of the sandbox, and nothing of the host is visible inside", async () => {
  const { request, env } = bench(cache, { "escape.py": ESCAPE });
  const result = await testInSandbox(
    request(["/usr/bin/python3", "escape.py"], {
      env: { ...env, KAI_SIGNING_KEY: "secret-of-the-host", http_proxy: "http://secret-of-the-host:3128" },
      settings: { env: { GIVEN: "yes" } },
    }),
  );
  expect(result.stderr).toBe("");
  const seen = JSON.parse(result.stdout) as Record<string, unknown>;
  const { environment, home, root, etc, ...tries } = seen as { environment: Record<string, string> } & Record<
    string,
    unknown
  >;
  expect(tries).toEqual({ ...CONFINED, "write to /tmp": "done", "host processes": [] });
  expect(environment).toMatchObject({ HOME: "/tmp", LANG: "C.UTF-8", GIVEN: "yes" });
  expect(Object.keys(environment)).not.toContain("KAI_SIGNING_KEY");
  expect(JSON.stringify(seen)).not.toContain("secret-of-the-host");
  expect(home).toEqual([]);
  expect(root).not.toContain("home");
  expect(root).not.toContain("root");
  expect(etc).not.toContain("shadow");
  expect(etc).not.toContain("resolv.conf");
  expect(etc).not.toContain("ssh");
});

test("python, node, sh and git of the host work inside", async () => {
  const { request } = bench(cache, { "a.py": "print(6 * 7)" });
  const script =
    "/usr/bin/python3 a.py && node -e 'console.log(6*7)' && git init -q /tmp/r && git -C /tmp/r status -sb";
  const result = await testInSandbox(request(["sh", "-c", script]));
  expect(result.stderr).toBe("");
  expect(result.stdout).toMatch(/^42\n42\n## No commits yet on master\n$/);
  expect(result).toMatchObject({ exitCode: 0, passed: true, failures: [], requests: [] });
});

test("a program that is not there, or an exit status, is a result and not an error", async () => {
  const { request } = bench(cache);
  expect(await testInSandbox(request(["no-such-program"]))).toMatchObject({
    exitCode: 127,
    passed: false,
    failures: ["Exit status 127, expected 0."],
  });
  expect(await testInSandbox(request(["sh", "-c", "exit 125"], { expect: { exitCode: 125 } }))).toMatchObject({
    exitCode: 125,
    passed: true,
  });
});
