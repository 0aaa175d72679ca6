import { expect, test } from "vitest";
import { buildFailed } from "../../src/snapshot/image/build-failed.js";
import { usualSettings } from "./sandbox.js";

const files = new Map<string, Buffer>();
const NODE = { kind: "node", files } as const;
const OWN = { kind: "own", files, from: "a", lines: [] } as const;

function failure(output: string, { recipe = NODE, network = {}, ...more }: Record<string, unknown> = {}) {
  const usual = usualSettings();
  const settings = { ...usual, network: { ...usual.network, ...(network as object) } };
  const result = { built: false, timedOut: false, output, refused: [], ...more };
  return buildFailed("1.2.0", recipe as typeof NODE | typeof OWN, settings, result);
}

test("what failed is told in the words of what failed, not in those around it", () => {
  const output = [
    "STEP 4/4: RUN npm ci",
    "npm error code EAI_AGAIN",
    "\u001b[31mnpm error\u001b[39m request to https://registry.npmjs.org/a failed\u0007\r",
    "npm error A complete log of this run can be found in: /root/.npm/_logs/x.log",
    'Error: building at STEP "RUN npm ci": while running runtime: exit status 1',
  ].join("\n");
  expect(failure(output).message).toBe(
    "The image of 1.2.0 could not be built: npm error request to https://registry.npmjs.org/a failed",
  );
  expect(failure("").message).toBe("The image of 1.2.0 could not be built: podman said nothing");
});

test("the way out is the hosts that it lacks, as far as they are known, and always an image as it is", () => {
  expect(failure("x").hint).toContain("`--network isolated --allow-host registry.npmjs.org`");
  expect(failure("x", { recipe: OWN }).hint).toBe(
    "A build reaches what the sandbox may reach, and that is nothing. `--image NAME` uses an image as it is.",
  );
  const isolated = { network: { mode: "isolated" } };
  expect(failure("x", isolated).hint).toBe("`--image NAME` uses an image as it is.");
  expect(
    failure("x", { ...isolated, refused: ["a.example", "b.example", "", "c; rm -rf ~", "$(id)", "`id`", "-x"] }).hint,
  ).toContain("`--network isolated --allow-host a.example --allow-host b.example`");
  expect(failure("x", { timedOut: true }).hint).toContain("--timeout");
});
