import { createHash } from "node:crypto";
import { canonicalJson } from "../../operation/canonical-json.js";
import { NPM_INSTALLED_NAME } from "./npm-installed.js";
import type { Recipe } from "./recipe.js";

/** Where what an image is built from lies in it: beside the version, which is mounted at /app. */
const PLACE = "/opt/kai";

/**
 * The Containerfile of a recipe on a base that `reference` names with its digest. Installers are to try again only once: a sandbox
 * reaches nothing by default, and they would go on for a minute.
 */
export function formatContainerfile(recipe: Recipe, reference: string): string {
  return [`FROM ${reference}`, ...linesOf(recipe)].map((line) => `${line}\n`).join("");
}

function linesOf(recipe: Recipe): readonly string[] {
  switch (recipe.kind) {
    case "own":
      return recipe.lines;
    case "python": {
      const options = recipe.complete ? " --no-deps" : "";
      const files = recipe.requirements.map((name) => ` -r ${name}`).join("");
      // A distribution's own Python wants to be told.
      return [
        ...copied(),
        `RUN PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore pip install --no-cache-dir --no-input --retries 1${options}${files}`,
      ];
    }
    case "node":
      // Node looks for packages in each folder above the one of a file, so for those of /app in the root, too.
      return [
        ...copied(),
        "WORKDIR /node_modules",
        `WORKDIR ${PLACE}`,
        `RUN ${[
          "npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --fetch-retries=1 --fetch-retry-mintimeout=1000",
          `node ${NPM_INSTALLED_NAME} "$(command -v npm)" "$(npm config get omit)"`,
          "mkdir -p node_modules",
          "cp -a node_modules/. /node_modules/",
          "rm -rf node_modules",
        ].join(" && ")}`,
      ];
  }
}

const copied = (): string[] => [`WORKDIR ${PLACE}`, `COPY . ${PLACE}/`];

/** Changes when what a build is given, or how it is carried out, is no longer the same. */
const FORMAT = "kai-image/1";

/** SHA-256 of all that an image is built from: what is equal in this needs no second build. */
export function contentDigest(containerfile: string, files: ReadonlyMap<string, Buffer>): string {
  const sha256 = (bytes: Buffer | string) => createHash("sha256").update(bytes).digest("hex");
  const listed = [...files].map(([name, bytes]) => [name, sha256(bytes)]).sort();
  return sha256(canonicalJson({ format: FORMAT, containerfile, files: listed }));
}
