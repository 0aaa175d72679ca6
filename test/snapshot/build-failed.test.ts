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

const UNREACHED = "npm error code EAI_AGAIN";
const OTHERWISE = "`--json` has the last lines of the build (`output`). `--image NAME` uses an image as it is.";

test.each([
  ["pip", "ERROR: No matching distribution found for left-pad==1.0"],
  ["pip", "WARNING: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution\nERROR: x"],
  ["npm", "npm error request to https://registry.npmjs.org/a failed, reason: getaddrinfo EAI_AGAIN"],
  ["npm", "npm left out node_modules/a: it could not be fetched"],
  ["apt", "E: Unable to locate package curl"],
  ["apt", "W: Failed to fetch http://deb.debian.org/x  Temporary failure resolving 'deb.debian.org'"],
  ["apk", "WARNING: fetching https://dl-cdn.alpinelinux.org/x: temporary error (try again later)"],
  ["curl", "curl: (6) Could not resolve host: example.com"],
  ["wget", "wget: bad address 'example.com'"],
  ["git", "fatal: unable to access 'https://example.com/': Could not resolve host: example.com"],
  ["go", "dial tcp: lookup proxy.golang.org: no such host"],
])("where %s could not fetch the hint is about the network: %s", (_, output) => {
  const end = 'Error: building at STEP "RUN x": while running runtime: exit status 1';
  expect(failure(`STEP 2/2: RUN x\n${output}\n${end}`, { recipe: OWN }).hint).toContain("that is nothing");
});

test("a build that failed for another reason is not blamed on the network, nor on what an earlier step printed", () => {
  const earlier = "STEP 1/2: RUN curl x || true\ncurl: (6) Could not resolve host: x\n";
  const exit = 'Error: building at STEP "RUN exit 9": while running runtime: exit status 9';
  expect(failure(`${earlier}STEP 2/2: RUN exit 9\n${exit}`)).toMatchObject({
    message: `The image of 1.2.0 could not be built: ${exit}`,
    hint: OTHERWISE,
  });
  const copy =
    'Error: building at STEP "COPY ../x /x": checking on sources under "/tmp/x": possible escaping context directory error: copier: stat: "/x": no such file or directory';
  for (const output of [`${earlier}STEP 2/2: COPY ../x /x\n${copy}`, `${copy}\nSTEP 2/2: COPY ../x /x`]) {
    expect(failure(output, { recipe: OWN })).toMatchObject({
      message: `The image of 1.2.0 could not be built: ${copy}`,
      hint: expect.stringMatching(
        /^COPY finds what is of `artifacts\.environment`, [^-]*; the Containerfile itself and ignore files it does not\. `--image NAME`/,
      ),
    });
  }
});

test("the way out is the hosts that it lacks, as far as they are known, and always an image as it is", () => {
  expect(failure(UNREACHED).hint).toContain("`--network isolated --allow-host registry.npmjs.org`");
  expect(failure(UNREACHED, { recipe: OWN }).hint).toBe(
    "A build reaches what the sandbox may reach, and that is nothing. `--image NAME` uses an image as it is.",
  );
  const isolated = { network: { mode: "isolated" } };
  expect(failure(UNREACHED, isolated).hint).toBe(OTHERWISE);
  expect(
    failure("x", { ...isolated, refused: ["a.example", "b.example", "", "c; rm -rf ~", "$(id)", "`id`", "-x"] }).hint,
  ).toContain("`--network isolated --allow-host a.example --allow-host b.example`");
  expect(failure("x", { timedOut: true }).hint).toContain("--timeout");
});
