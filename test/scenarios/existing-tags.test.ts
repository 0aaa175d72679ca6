import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { agentWithVersions } from "../support/agent.js";
import { gnupg } from "../support/gnupg.js";
import { helloRepository } from "../support/hello-repository.js";
import { sshSigner, x509Signer } from "../support/other-signers.js";
import { scratch } from "../support/scratch.js";
import { placeAt, refused, told } from "./place.js";

test("tags that were there keep their numbers, the others are told with the reason", async () => {
  const place = helloRepository();
  place.git("tag", "v0.1.0");
  place.git("tag", "-a", "-m", "first", "v1.0.0");
  place.git("tag", "-a", "-m", "next", "v1.1.0-rc.1");
  for (const name of ["v1.2.3.4", "1.5.0", "v01.0.0", "nightly", "v2"]) place.git("tag", name);
  place.git("tag", "v3.0.0", place.git("rev-parse", "HEAD:logic.py"));
  place.git("tag", "-a", "-m", "of a tree", "v4.0.0", "HEAD^{tree}");
  const before = place.git("for-each-ref", "refs/tags");
  const init = await told(place, "init", "--yes");
  expect(init.reserved).toEqual(["0.1.0", "1.0.0", "1.1.0-rc.1"]);
  expect(
    Object.fromEntries(init.skipped.map((each: { tag: string; reason: string }) => [each.tag, each.reason])),
  ).toEqual({
    "v1.2.3.4": "'1.2.3.4' is not a semantic version",
    "1.5.0": "does not fit tag_format v{version}",
    "v01.0.0": "'01.0.0' is not a semantic version",
    nightly: "does not fit tag_format v{version}",
    v2: "'2' is not a semantic version",
    "v3.0.0": "does not point at a commit; its number stays reserved",
    "v4.0.0": "does not point at a commit; its number stays reserved",
  });
  expect(place.git("for-each-ref", "refs/tags")).toBe(before);
  for (const taken of ["0.1.0", "1.1.0-rc.1", "3.0.0", "4.0.0"]) {
    expect(await refused(place, "create", "--as", taken)).toMatchObject({ code: "E108", exit: 1 });
  }
  expect(await told(place, "create")).toMatchObject({ version: "4.0.1", parent: null, current: true });
  const list = await told(place, "list");
  expect(list.versions.map((each: { version: string; type: string }) => `${each.version} ${each.type}`)).toEqual([
    "4.0.1 auto",
    "1.1.0-rc.1 foreign",
    "1.0.0 foreign",
    "0.1.0 foreign",
  ]);
  expect(list.skipped).toHaveLength(7);
  expect(await told(place, "verify", "--all")).toMatchObject({ ok: true, total: 4, failed: 0, unproven: 3 });
});

test("a number is used once, even if its tag is deleted", async () => {
  const agent = await agentWithVersions("1.0.0", "1.1.0");
  const place = placeAt(agent.dir, agent.env);
  await told(place, "rollback", "1.0.0");
  place.git("tag", "-d", "v1.1.0");
  place.write("logic.py", "print('fix')\n");
  place.commit("fix: something");
  expect(await refused(place, "create", "--as", "1.1.0")).toMatchObject({ code: "E108" });
  expect(await told(place, "create")).toMatchObject({ version: "1.1.1" });
});

test.each([
  ["agent-{version}", "agent-1.0.0"],
  ["release/{version}", "release/1.0.0"],
  ["{version}", "1.0.0"],
])("under tag_format %s all goes as under another", async (format, tag) => {
  const place = helloRepository();
  place.git("tag", "v9.0.0");
  place.write("kai.yaml", `agent_id: x\nversion_management:\n  semantic_versioning: {tag_format: "${format}"}\n`);
  place.commit("chore: kai.yaml");
  expect((await told(place, "init", "--yes")).skipped).toEqual([
    {
      tag: "v9.0.0",
      reason: format === "{version}" ? "'v9.0.0' is not a semantic version" : `does not fit tag_format ${format}`,
    },
  ]);
  expect(await told(place, "create")).toMatchObject({ version: "1.0.0", tag });
  place.write("logic.py", "print('good day')\n");
  place.commit("feat: politeness");
  expect(await told(place, "create")).toMatchObject({ version: "1.1.0" });
  expect(await told(place, "rollback", tag)).toMatchObject({ to: "1.0.0", tag });
  expect(await told(place, "show", tag)).toMatchObject({ version: "1.0.0", current: true });
  expect(await told(place, "verify", "--all")).toMatchObject({ ok: true, total: 2 });
});

test("tags that people signed with gpg are proven with the keys that were imported", async () => {
  const place = helloRepository();
  await told(place, "init", "--yes");
  const keyring = gnupg();
  const people = {
    good: keyring.generate("Good <good@example.com>", "ed25519", { at: "20200101T000000" }),
    rsa: keyring.generate("Rsa <rsa@example.com>", "rsa2048", { at: "20200101T000000" }),
    dsa: keyring.generate("Dsa <dsa@example.com>", "dsa2048", { at: "20200101T000000" }),
    expired: keyring.generate("Gone <gone@example.com>", "ed25519", {
      at: "20200101T000000",
      expire: "20210101T000000",
    }),
    stranger: keyring.generate("Stranger <stranger@example.com>", "ed25519", { at: "20200101T000000" }),
  };
  const head = place.git("rev-parse", "HEAD");
  const tag = (version: string, signature: (payload: Buffer) => Buffer | string, message = "released") => {
    const payload = Buffer.from(
      `object ${head}\ntype commit\ntag v${version}\ntagger P <p@example.com> 1600000000 +0000\n\n${message}\n`,
    );
    const bytes = Buffer.concat([payload, Buffer.from(signature(payload))]);
    const options = { cwd: place.dir, env: place.env, input: bytes };
    const id = execFileSync("git", ["hash-object", "-w", "-t", "tag", "--stdin"], options).toString().trim();
    place.git("update-ref", `refs/tags/v${version}`, id);
  };
  const at2020 = ["--faked-system-time", "20200601T000000"];
  const by =
    (key: string, ...args: string[]) =>
    (payload: Buffer) =>
      keyring.sign(payload, key, [...at2020, ...args]);
  tag("0.1.0", by(people.good));
  tag("0.2.0", (payload) => keyring.sign(Buffer.concat([payload, Buffer.from("!")]), people.good, at2020));
  tag("0.3.0", () => "");
  tag("0.4.0", by(people.stranger));
  tag("0.5.0", by(people.expired));
  tag("0.6.0", by(people.rsa));
  tag("0.7.0", by(people.dsa, "--digest-algo", "SHA256", "--allow-weak-digest-algos"));
  tag("0.8.0", by(people.rsa, "--digest-algo", "SHA1", "--allow-weak-digest-algos"));
  const { dir } = scratch();
  tag("0.9.0", (payload) => sshSigner(dir).sign(payload));
  tag("0.10.0", (payload) => x509Signer().sign(payload));
  tag("0.11.0", () => "-----BEGIN PGP SIGNATURE-----\n\nnonsense\n-----END PGP SIGNATURE-----\n");
  for (const key of [people.good, people.rsa, people.dsa, people.expired]) {
    const file = `${keyring.home}/${key}.asc`;
    writeFileSync(file, keyring.export(key));
    await place.kai("key", "import", file);
  }
  const run = await place.kai("verify", "--all", "--json");
  const outcomes = Object.fromEntries(
    run
      .json()
      .versions.map((each: { version: string; ok: boolean; signature: { outcome: string; signer: string | null } }) => [
        each.version,
        `${each.ok ? "ok" : "not ok"} ${each.signature.outcome}${each.signature.signer ? ` ${each.signature.signer}` : ""}`,
      ]),
  );
  expect(run.exit).toBe(1);
  expect(outcomes).toMatchInlineSnapshot(`
    {
      "0.1.0": "ok good Good <good@example.com>",
      "0.10.0": "not ok unsupported-format",
      "0.11.0": "not ok bad",
      "0.2.0": "not ok bad Good <good@example.com>",
      "0.3.0": "not ok unsigned",
      "0.4.0": "not ok unknown-key",
      "0.5.0": "ok expired-key-valid-then Gone <gone@example.com>",
      "0.6.0": "ok good Rsa <rsa@example.com>",
      "0.7.0": "not ok weak Dsa <dsa@example.com>",
      "0.8.0": "not ok weak Rsa <rsa@example.com>",
      "0.9.0": "not ok unsupported-format",
    }
  `);
});
