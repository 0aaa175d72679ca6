import { expect, test } from "vitest";
import { helloRepository } from "../support/hello-repository.js";
import { type OtherSigner, sshSigner, x509Signer } from "../support/other-signers.js";
import { scratch } from "../support/scratch.js";
import { told } from "./place.js";

const SIGNERS: readonly [string, () => OtherSigner, string][] = [
  ["ssh", () => sshSigner(scratch().dir), "SSH"],
  ["x509", x509Signer, "X.509"],
];

test.each(SIGNERS)(
  "a tag that git signed with %s is good to git, and no version that we vouch for",
  async (_, make, named) => {
    const place = helloRepository();
    const signer = make();
    const git = (...args: string[]) => place.run("git", [...signer.config, ...args], { env: signer.env });
    expect(await git("tag", "-s", "-m", "released", "v0.1.0")).toMatchObject({ exit: 0 });
    expect(await git("tag", "-s", "-m", "released too", "v0.2.0")).toMatchObject({ exit: 0 });
    expect((await git("verify-tag", "v0.1.0")).exit).toBe(0);
    expect((await told(place, "init", "--yes")).reserved).toEqual(["0.1.0", "0.2.0"]);

    const ran = await place.kai("verify", "0.1.0", "--json");
    expect(ran.exit).toBe(1);
    const [version] = ran.json().versions;
    expect(version).toMatchObject({ tag: "v0.1.0", ok: false, signature: { outcome: "unsupported-format" } });
    expect(JSON.stringify(version)).toContain(named);
    expect((await place.kai("verify", "0.1.0")).stdout).toContain(named);

    // Nothing hinges on it: the number is taken, and the next version is ours.
    const created = await told(place, "create", "--bump", "minor");
    expect(created.version).toBe("0.3.0");
    const all = (await place.kai("verify", "--all", "--json")).json();
    expect(
      all.versions.map((each: { tag: string; signature: { outcome: string } }) => [each.tag, each.signature.outcome]),
    ).toEqual([
      ["v0.1.0", "unsupported-format"],
      ["v0.2.0", "unsupported-format"],
      ["v0.3.0", "good"],
    ]);
  },
);
