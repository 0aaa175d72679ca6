import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { checkDeployment, readDeployment } from "../../src/deploy/deployment.js";
import { applyLinks, readLink, stageLinks } from "../../src/operation/apply-links.js";
import { linkTo } from "../../src/version/deployment-root.js";
import { type Figure, interleave } from "../figure.js";

const LIMIT_MS = 5;

export const DEPLOY: readonly Figure[] = [
  {
    name: "deploy-switch",
    title: `switching to a deployment that is there, its 10 files checked, everything fsynced, inside the process; floor: ${LIMIT_MS} ms`,
    goal: { most: 1 },
    unit: "ms",
    async measure(bench, fixtures, rounds) {
      const cwd = await fixtures.copy("small");
      const root = `${cwd}-deployed`;
      bench.kai(cwd, "deploy", "1.0.0", "--to", root);
      const folder = path.join(root, "versions", "v1.0.0");
      const link = path.join(root, "next");
      const times: number[] = [];
      for (let round = 0; round <= rounds; round++) {
        const staging = path.join(cwd, ".git", `staging-${round}`);
        mkdirSync(staging);
        rmSync(link, { force: true });
        const started = performance.now();
        const deployment = readDeployment(folder);
        const problems = checkDeployment(deployment);
        const log = { file: path.join(root, "rollback.log"), line: `{"round":${round}}` };
        await stageLinks(staging, [{ link, target: linkTo("1.0.0"), before: await readLink(link), log }]);
        const { links } = await applyLinks(staging);
        times.push(performance.now() - started);
        if (problems.length + links.length > 0) throw new Error("the deployment was not switched");
      }
      return interleave(rounds, { floor: () => LIMIT_MS, ours: () => times.shift() ?? Number.NaN });
    },
  },
];
