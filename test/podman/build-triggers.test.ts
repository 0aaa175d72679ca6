import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { hasTriggers, refuseBuildTriggers } from "../../src/podman/build-triggers.js";
import { findLocalImages, type LocalImage } from "../../src/podman/local-image.js";
import { baseImage, triggeringImage } from "../snapshot/base-image.js";
import { scratch } from "../support/scratch.js";

async function judge(name: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const [image] = await findLocalImages([name], env);
  return refuseBuildTriggers(image as LocalImage, scratch().dir, env);
}

const TRIGGERS = { code: "E103", message: expect.stringContaining("it has ONBUILD instructions") };

test("an image with ONBUILD is refused, one without is not", async () => {
  const { env } = scratch();
  const base = await baseImage();
  await expect(judge(base.name, env)).resolves.toBeUndefined();
  const image = await triggeringImage(base.name, ["RUN true"]);
  await expect(judge(image.name, env)).rejects.toMatchObject(TRIGGERS);
});

test("triggers in an image of OCI's kind are podman's, too, in whatever case", async () => {
  const { env, dir } = scratch();
  const base = await baseImage();
  const id = pulled(base.name, dir, env);
  await expect(judge(id, env)).rejects.toMatchObject(TRIGGERS);
  const file = path.join(dir, "Containerfile");
  writeFileSync(file, `FROM ${id}\n`);
  const tag = `${base.name}-built`;
  const build = ["build", "--pull=never", "--network", "none", "--layers=false", "--tag", tag, "--file", file, dir];
  expect(execFileSync("podman", build, { env, encoding: "utf8" })).toContain("STEP 2/2: RUN echo triggered");
  execFileSync("podman", ["rmi", tag], { env });
});

test("an image that another storage lends is judged by a copy of it", async () => {
  const { env, dir } = scratch();
  const base = await baseImage();
  const image = await triggeringImage(base.name, ["RUN true"]);
  const format = ["info", "--format", "{{.Store.GraphDriverName}} {{.Store.GraphRoot}}"];
  const [driver, lender = ""] = execFileSync("podman", format, { env, encoding: "utf8" }).trim().split(" ");
  const conf = path.join(dir, "storage.conf");
  const own = { graph: path.join(dir, "graph"), run: path.join(dir, "run") };
  for (const folder of Object.values(own)) mkdirSync(folder);
  writeFileSync(
    conf,
    `[storage]\ndriver = "${driver}"\ngraphroot = "${own.graph}"\nrunroot = "${own.run}"\n` +
      `[storage.options]\nadditionalimagestores = ["${lender}"]\n`,
  );
  const borrower = { ...env, CONTAINERS_STORAGE_CONF: conf };
  await expect(judge(image.name, borrower)).rejects.toMatchObject(TRIGGERS);
  await expect(judge(base.name, borrower)).resolves.toBeUndefined();
});

test("an image of which podman shows nothing is refused", async () => {
  const { env, dir } = scratch();
  const image = { id: "0".repeat(64), reference: "none", tags: [], labels: {} };
  await expect(refuseBuildTriggers(image, dir, env)).rejects.toMatchObject({
    code: "E103",
    message: expect.stringContaining("does not show whether it has ONBUILD"),
  });
});

test.each([
  ['{"config":{"OnBuild":["RUN x"]}}', true],
  ['{"config":{"onbuild" : [ "RUN x"]}}', true],
  ['{"config":{"\\u004fnBuild":["RUN x"]}}', true],
  ['{"config":{"OnBuild":["RUN x"]},"config":{"OnBuild":null}}', true],
  ['{"config":{"OnBuild":["RUN x"],"OnBuild":[]}}', true],
  ['{"a":"\\\\","config":{"OnBuild":["RUN x"]}}', true],
  ['{"config":{"Env":["A=\\"b"],"Cmd":[],"OnBuild":["RUN x"]}}', true],
  ['{"config":{"OnBuild":null},"container_config":{"OnBuild":[ ]}}', false],
  [
    '{"config":{"Labels":{"onbuild":"x"},"Cmd":["OnBuild"]},"history":[{"created_by":"\\"OnBuild\\":[\\"x\\"]"}]}',
    false,
  ],
])("what podman reads as triggers: %s", (config, found) => {
  expect(hasTriggers(config)).toBe(found);
});

test("a configuration that is not JSON is none", () => {
  expect(() => hasTriggers(`{"a":"${'\\"'.repeat(9)}`)).toThrow();
});

/** An image like the one of this name, whose configuration has what its kind has no word for; gives its id. */
function pulled(name: string, dir: string, env: NodeJS.ProcessEnv): string {
  const folder = path.join(dir, "image");
  execFileSync("podman", ["image", "save", "--quiet", "--format", "oci-dir", "--output", folder, name], {
    env,
    stdio: "ignore",
  });
  const read = (file: string) => JSON.parse(readFileSync(path.join(folder, file), "utf8"));
  const blob = (digest: string) => `blobs/${digest.replace(":", "/")}`;
  const put = (document: unknown) => {
    const bytes = JSON.stringify(document);
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    writeFileSync(path.join(folder, blob(digest)), bytes);
    return { digest, size: bytes.length };
  };
  const index = read("index.json");
  const [{ digest, mediaType }] = index.manifests;
  const manifest = read(blob(digest));
  const config = read(blob(manifest.config.digest));
  const crafted = put({ ...config, config: { ...config.config, onbuild: ["RUN echo triggered"] } });
  const changed = put({ ...manifest, config: { ...manifest.config, ...crafted } });
  writeFileSync(path.join(folder, "index.json"), JSON.stringify({ ...index, manifests: [{ mediaType, ...changed }] }));
  const id = execFileSync("podman", ["pull", "--quiet", "oci:image"], { env, cwd: dir, encoding: "utf8" }).trim();
  onTestFinished(() => {
    execFileSync("podman", ["rmi", "--force", "--ignore", id], { env, stdio: "ignore" });
  });
  return id;
}
