import validRange from "semver/ranges/valid.js";
import {
  bool,
  boolOr,
  choice,
  field,
  integer,
  list,
  object,
  orNull,
  record,
  type ScalarSchema,
  text,
} from "../schema.js";
import { AGENT_ID } from "./agent-id.js";
import { TAG_FORMAT } from "./tag-format.js";

/** What begins with `./` or leaves the agent's folder matches nothing as in .gitignore, and git lists no file of its own. */
const glob = text(undefined, {
  expected: "a glob as in .gitignore, without ./ and ../ and not in .git",
  pattern: /^(?!\/?\.git(?:\/|$))(?!(?:.*\/)?\.\.?(?:\/|$))/,
});
const include = (...globs: string[]) => field("Globs of the files of this kind, as in .gitignore.", list(glob, globs));
const exclude = (...globs: string[]) =>
  field("Globs of files that are not of this kind although `include` names them.", list(glob, globs));

const LEVELS = boolOr(["patch", "minor", "major"], "patch");

const AUTO_INCREMENT: ScalarSchema<false | "patch" | "minor" | "major"> = {
  ...LEVELS,
  fallback: "patch",
  read: (scalar) => {
    const level = LEVELS.read(scalar);
    return level === true ? "patch" : level;
  },
};

const SIMPLE_KINDS = {
  code: field(
    "Program code.",
    object({
      include: include("*.py", "*.js", "*.ts"),
      exclude: exclude("__pycache__", "node_modules"),
    }),
  ),
  config: field(
    "Configuration; kai.yaml itself always is.",
    object({
      include: include("*.yaml", "*.json", "*.toml"),
      exclude: exclude(),
    }),
  ),
  prompts: field("Prompts.", object({ include: include("prompts/**", "*.prompt.md"), exclude: exclude() })),
  tools: field("Tool definitions.", object({ include: include("tools/**", "*.tool.json"), exclude: exclude() })),
  data: field("Data that the agent reads.", object({ include: include("data/**"), exclude: exclude() })),
  environment: field(
    "What the agent runs in: lock files, container files.",
    object({
      include: include("Containerfile", "*.lock", "requirements*.txt", "package-lock.json"),
      exclude: exclude(),
    }),
  ),
};

export const VERSION_MANAGEMENT = object({
  storage: field(
    "Where versions are kept.",
    object({
      type: field("The kind of storage.", choice(["git"], "git")),
      repository: field("The remote, by name or URL, that `sync` uses.", text("origin")),
      branch_strategy: field(
        "`semantic`: main is the newest line, 1.x and 1.2.x are maintenance lines, next, beta and alpha are pre-releases. `trunk`: one branch.",
        choice(["semantic", "trunk"], "semantic"),
      ),
      signing_required: field("Whether every version must carry a good signature.", bool(true)),
    }),
  ),
  semantic_versioning: field(
    "How version numbers are found.",
    object({
      scheme: field("The numbering scheme.", choice(["semantic"], "semantic")),
      auto_increment: field(
        "The least that `create --type auto` bumps; true means patch, false means no automatic versions.",
        AUTO_INCREMENT,
      ),
      change_detection: field("Derive the required bump from what changed.", bool(true)),
      compatibility_checking: field("Refuse a version whose bump is below the required one.", bool(true)),
      tag_format: field("The name of a version's tag, with `{version}` once.", TAG_FORMAT),
    }),
  ),
  artifacts: field(
    "Which files are of which kind. A file is of the first kind that matches: state, models, prompts, tools, environment, build, data, config, code; of none, it is an asset. A glob without a slash matches at any depth.",
    object({
      ...SIMPLE_KINDS,
      models: field(
        "Models.",
        object({
          include: include("models/**"),
          exclude: exclude(),
          storage: field("Where large models are kept outside git, e.g. s3://kai-models.", orNull(text(undefined))),
          versioning: field("False: the newest model is taken, and the version says so.", bool(true)),
        }),
      ),
      build: field(
        "What is built from the sources.",
        object({
          include: include(),
          exclude: exclude(),
          command: field("The command that builds, e.g. `make build`.", orNull(text(undefined))),
          outputs: field(
            "Globs of what the command makes; these files are of this kind, too.",
            list(glob, ["dist/**"]),
          ),
        }),
      ),
      state: field(
        "Runtime state: ignored by git, captured with each version.",
        object({
          include: include(),
          exclude: exclude(),
          encrypt: field("Encrypt captures.", bool(false)),
          keep: field("How many captures are kept.", integer(1, 1_000_000, 50)),
          push: field("Whether `sync` pushes captures.", bool(false)),
        }),
      ),
    }),
  ),
  dependencies: field(
    "What the agent depends on beside its lock files.",
    object({
      agents: field(
        "Other agents, each with the range of versions it may have.",
        record(
          text(undefined, {
            expected: "a range of versions such as ^2.1.0",
            test: (range) => validRange(range) !== null,
          }),
          {
            keyForm: AGENT_ID.expected,
            keyPattern: AGENT_ID.pattern,
          },
        ),
      ),
    }),
  ),
});
