/**
 * Variables that tie a git process to one repository (`git rev-parse --local-env-vars`), but for those of a hook's
 * quarantine. A hook exports them, and they must not follow us into another repository.
 */
const LOCAL_VARIABLES = [
  "GIT_CONFIG",
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_GRAFT_FILE",
  "GIT_INDEX_FILE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_REPLACE_REF_BASE",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_COMMON_DIR",
  "GIT_NAMESPACE",
] as const;

const QUARANTINE_VARIABLES = [
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_QUARANTINE_PATH",
] as const;

/** The environment without any tie to a repository: for `-C`, which names another one than a hook's. */
export function withoutRepository(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const clean = { ...env };
  for (const name of [...LOCAL_VARIABLES, ...QUARANTINE_VARIABLES]) delete clean[name];
  return clean;
}

type Settings = readonly (readonly [key: string, value: string])[];

const NO_HOOKS: Settings = [["core.hooksPath", "/dev/null"]];

/** The environment of a git that has all else of its user. */
export const withoutHooks = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => withSettings(env, NO_HOOKS);

/** Against what would put other words between those that we read, or start the gpg.program, fsmonitor or hooks of a repository, which may lie among its files. */
const PLAIN: Settings = [
  ["log.showSignature", "false"],
  ["i18n.logOutputEncoding", "UTF-8"],
  ["core.fsmonitor", "false"],
  ...NO_HOOKS,
];

/** Settings under which every git process of ours runs: no replaced objects, no optional locks, plain messages. */
export function plumbingEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv = { ...env };
  // What a caller's passphrase or key is for is done in this process; no child needs it.
  for (const name of ["KAI_SIGNING_KEY", "KAI_KEY_PASSPHRASE", "GIT_PREFIX", "GIT_EXTERNAL_DIFF"]) delete own[name];
  return {
    ...withSettings(own, PLAIN),
    GIT_NO_REPLACE_OBJECTS: "1",
    GIT_GRAFT_FILE: "/dev/null",
    GIT_OPTIONAL_LOCKS: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_TERMINAL_PROMPT: "0",
    LC_ALL: "C",
  };
}

/**
 * The same for whoever looks for the repository around a folder, which git 2.38 and newer then takes only by its `.git`: any other
 * folder that looks like one may be what somebody put into a commit.
 */
export const searchingEnvironment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  withSettings(plumbingEnvironment(env), [["safe.bareRepository", "explicit"]]);

function withSettings(env: NodeJS.ProcessEnv, settings: Settings): NodeJS.ProcessEnv {
  const given = Number(env["GIT_CONFIG_COUNT"] ?? 0) || 0;
  const own: NodeJS.ProcessEnv = { ...env, GIT_CONFIG_COUNT: String(given + settings.length) };
  for (const [index, [key, value]] of settings.entries()) {
    own[`GIT_CONFIG_KEY_${given + index}`] = key;
    own[`GIT_CONFIG_VALUE_${given + index}`] = value;
  }
  // What `git -c` says comes behind all of these.
  const said = env["GIT_CONFIG_PARAMETERS"];
  if (said) own["GIT_CONFIG_PARAMETERS"] = [said, ...settings.map(([key, value]) => `'${key}=${value}'`)].join(" ");
  return own;
}

/** As `plumbingEnvironment`, tied to one repository by absolute paths, so that no child discovers another one. */
export function repositoryEnvironment(
  env: NodeJS.ProcessEnv,
  repository: { gitDir: string; workTree: string | undefined },
): NodeJS.ProcessEnv {
  const tied = plumbingEnvironment(env);
  for (const name of LOCAL_VARIABLES) if (!(name in FIXED)) delete tied[name];
  tied["GIT_DIR"] = repository.gitDir;
  if (repository.workTree !== undefined) tied["GIT_WORK_TREE"] = repository.workTree;
  return tied;
}

const FIXED: Partial<Record<(typeof LOCAL_VARIABLES)[number], true>> = {
  GIT_GRAFT_FILE: true,
  GIT_NO_REPLACE_OBJECTS: true,
};
