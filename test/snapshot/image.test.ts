import { once } from "node:events";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { findLocalImages } from "../../src/podman/local-image.js";
import { baseImage, imagesWith, leftOfBuilds, tagsWith, triggeringImage } from "./base-image.js";
import { NAME, PIP, printed, version } from "./image-versions.js";
import { AGENT_ID, NOTHING_LEFT, snapshotAgent } from "./snapshot-agent.js";

test("what a version's requirements ask for is in the image that it runs in, built once for all versions that ask for it", async () => {
  const base = await baseImage({ pip: PIP });
  const files = { "requirements.txt": "-r more/base.txt\n-c limits.txt\nleft-pad==1.0\n" };
  const included = { "more/base.txt": "a==1\n", "limits.txt": "b<2\n", "more/other.txt": "c==1\n" };
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { ...files, ...included });
  const seen = await printed(
    agent,
    "1.1.0",
    "sh",
    "-c",
    "cat /etc/asked; cd /etc/given; cat requirements.txt; ls * more",
  );
  expect(seen).toBe(
    `install --no-cache-dir --no-input --retries 1 -r requirements.txt\n${files["requirements.txt"]}` +
      "limits.txt\nrequirements.txt\n\nmore:\nbase.txt\n\nmore:\nbase.txt\n",
  );
  const made = await printed(agent, "1.1.0", "cat", "/etc/made");
  expect(await printed(agent, "1.1.0", "cat", "/etc/made")).toBe(made);

  await version(agent, "1.2.0", { "logic.py": "print('another')\n" });
  expect(await printed(agent, "1.2.0", "cat", "/etc/made")).toBe(made);
  const [id = ""] = imagesWith(agent.env, `io.kai.base=${base.reference}`);
  expect(tagsWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([`${NAME}:1.1.0`, `${NAME}:1.2.0`]);

  const message = agent.git("log", "-1", "--format=%b", "refs/kai/runs");
  expect(JSON.parse(message).isolation).toMatchObject({ image: id, imageBase: base.reference });

  await version(agent, "1.3.0", { "limits.txt": "b<3\n" });
  expect(await printed(agent, "1.3.0", "cat", "/etc/made")).not.toBe(made);
  expect(leftOfBuilds(base.name)).toEqual({ processes: [], containers: [] });
  expect(agent.left()).toEqual(NOTHING_LEFT);
});

test("npm's lock file is installed without scripts, where Node finds it from /app", async () => {
  const npm =
    '[ $1 = ci ] || exit 0; echo "$@" > /etc/asked; ls > /etc/given; mkdir -p node_modules/dep; echo made > node_modules/dep/index.js';
  const base = await baseImage({ npm, node: 'echo "$1 $2" >> /etc/asked' });
  const files = { "package.json": '{"name":"clerk","scripts":{"postinstall":"x"}}', "package-lock.json": "{}" };
  const scripts = { "index.js": "1", "more.js": "2", "third.js": "3" };
  const agent = await snapshotAgent({ base_images: { node: base.name } }, { ...files, ...scripts });
  const seen = await printed(
    agent,
    "1.1.0",
    "sh",
    "-c",
    "cat /node_modules/dep/index.js /etc/given /etc/asked; ls /app",
  );
  expect(seen).toContain("made\ninstalled.cjs\npackage-lock.json\npackage.json\nci --ignore-scripts --no-audit");
  expect(seen).toContain("\ninstalled.cjs /bin/npm\n");
  expect(seen).toContain("more.js");
});

test("without lock files, and where the caller names an image, that image is used as it is", async () => {
  const base = await baseImage({ pip: "exit 1" });
  const agent = await snapshotAgent({ base_images: { custom: base.name } });
  const [{ id } = { id: "" }] = await findLocalImages([base.name], agent.env);
  const { isolation } = await agent.made("create", "1.1.0");
  expect(isolation).toMatchObject({ image: id, imageBase: base.reference });
  await version(agent, "1.2.0", { "requirements.txt": "left-pad==1.0\n" });
  expect((await agent.made("run", "1.2.0", "--image", base.name, "--", "cat", "/etc/name")).stdout).toBe(base.name);
  expect(imagesWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([]);
});

test("a version's own Containerfile is built with the files of its environment, never its code, nor what a link leads to", async () => {
  const base = await baseImage();
  const lines = [
    `FROM ${base.name}`,
    "LABEL io.kai.content=forged",
    "ENV MODEL=small \\",
    "  # in between",
    "  SIZE=3",
    "WORKDIR /etc/given",
    "COPY --chmod=644 . .",
    "RUN ls -a > /etc/list && cat vars/x.lock >> /etc/list",
  ];
  const agent = await snapshotAgent(
    { base_images: { python: "localhost/not-asked-for:1" } },
    {
      Containerfile: lines.join("\n"),
      "vars/x.lock": "locked\n",
      ".dockerignore": "**\n",
      "requirements.txt": "x==1\n",
    },
  );
  symlinkSync("/etc/passwd", path.join(agent.dir, "requirements-linked.txt"));
  await version(agent, "1.2.0", {});
  expect(await printed(agent, "1.2.0", "sh", "-c", 'cat /etc/list; echo "$MODEL $SIZE"')).toBe(
    ".\n..\nrequirements.txt\nvars\nlocked\nsmall 3\n",
  );
  const [built] = await findLocalImages([`${NAME}:1.2.0`], agent.env);
  expect(built?.labels).toMatchObject({ "io.kai.agent": AGENT_ID, "io.kai.base": base.reference });
  expect(built?.labels["io.kai.content"]).toMatch(/^[0-9a-f]{64}$/);
  await version(agent, "1.3.0", { Containerfile: `FROM ${base.name}\nADD http://169.254.169.254/ /etc/given\n` });
  expect(await agent.refused("run", "1.3.0", "--", "true")).toMatchObject({
    code: "E103",
    message: "The version's Containerfile cannot be built here, line 2: ADD.",
  });
});

test("files whose names are no UTF-8 hold no build up, and are in none", async () => {
  const base = await baseImage();
  const lines = [`FROM ${base.name}`, "WORKDIR /etc/given", "COPY . .", "RUN cat env/* > /etc/list"];
  const agent = await snapshotAgent(
    { base_images: { python: base.name } },
    { Containerfile: lines.join("\n"), "env/a.txt": "a\n", "env/é.txt": "b\n" },
  );
  const config = JSON.parse(readFileSync(path.join(agent.dir, "kai.yaml"), "utf8"));
  const version_management = { artifacts: { environment: { include: ["Containerfile", "env/**"] } } };
  agent.write("kai.yaml", JSON.stringify({ ...config, version_management }));
  const odd = (...parts: (string | number)[]) =>
    Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));
  writeFileSync(odd(agent.dir, "/env/", 0xff, ".txt"), "c\n");
  mkdirSync(odd(agent.dir, "/env/", 0xfe));
  writeFileSync(odd(agent.dir, "/env/", 0xfe, "/d.txt"), "d\n");
  await version(agent, "1.2.0", {});
  expect(await printed(agent, "1.2.0", "cat", "/etc/list")).toBe("a\nb\n");
});

test("what a base would have done in each build on it is not done: it is refused", async () => {
  const plain = await baseImage({ pip: PIP });
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("of this machine");
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const base = await triggeringImage(plain.name, [`ADD http://127.0.0.1:${port}/secret /secret`]);
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const refusal = {
    code: "E103",
    message: `Nothing is built on the image ${base.reference}: it has ONBUILD instructions, which a build here does not carry out.`,
  };
  expect(await agent.refused("run", "1.1.0", "--", "true")).toMatchObject(refusal);
  await version(agent, "1.2.0", { Containerfile: `FROM ${base.name}\nRUN true\n` });
  expect(await agent.refused("run", "1.2.0", "--", "true")).toMatchObject(refusal);
  expect(asked).toEqual([]);
  expect(agent.left()).toEqual(NOTHING_LEFT);
  expect(imagesWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([]);
  expect((await agent.made("run", "1.2.0", "--image", base.name, "--", "echo", "as it is")).stdout).toBe("as it is\n");
});

test("a layered snapshot has what the requirements say that its base saved", async () => {
  const base = await baseImage({ pip: PIP });
  const agent = await snapshotAgent({ base_images: { python: base.name } }, { "requirements.txt": "x==1\n" });
  const first = await agent.made("create", "1.1.0");
  await agent.made("exec", first.id, "--", "sh", "-c", "echo x==2 > requirements.txt");
  await agent.made("save", first.id);
  const second = await agent.made("create", "1.1.0", "--base", first.id);
  const { stdout } = await agent.made("exec", second.id, "--", "cat", "/etc/given/requirements.txt");
  expect(stdout).toBe("x==2\n");
  expect(tagsWith(agent.env, `io.kai.base=${base.reference}`)).toEqual([
    `${NAME}:1.1.0`,
    `${NAME}:1.1.0__${first.id.toLowerCase()}`,
  ]);
});
