const NPM = ["package.json", "package-lock.json", "npm-shrinkwrap.json", ".npmrc"];
const PYTHON = ["setup.py", "setup.cfg", "pyproject.toml"];
const MAKE = ["makefile", "gnumakefile", "bsdmakefile"];
const IMAGE = ["dockerfile", "containerfile", ".dockerignore", ".containerignore"];
const COMPOSE = [
  ...["docker-compose", "docker-compose.override", "compose", "compose.override"].flatMap((name) => [
    `${name}.yml`,
    `${name}.yaml`,
  ]),
  ".env",
];
const RUBY = ["gemfile", "gemfile.lock", ".bundle"];
const GRADLE = [
  ...["build.gradle", "settings.gradle"].flatMap((name) => [name, `${name}.kts`]),
  "gradle.properties",
  "gradle",
];

/** Programs that run what a file of a fixed name says, or what it has them fetch. In lower case; a folder stands for all in it. */
export const PROGRAM_FILES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    make: MAKE,
    gmake: MAKE,
    cmake: ["cmakelists.txt"],
    just: ["justfile", ".justfile"],
    task: ["taskfile.yml", "taskfile.yaml"],
    npm: NPM,
    npx: NPM,
    pnpm: ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", ".npmrc", ".pnpmfile.cjs", ".pnpmfile.mjs"],
    yarn: ["package.json", "yarn.lock", ".yarnrc", ".yarnrc.yml", ".yarn", ".npmrc"],
    bun: ["package.json", "bun.lock", "bun.lockb", "bunfig.toml"],
    deno: ["deno.json", "deno.jsonc", "deno.lock", "package.json"],
    pip: PYTHON,
    pip3: PYTHON,
    uv: [...PYTHON, "uv.lock", "uv.toml"],
    poetry: [...PYTHON, "poetry.lock", "poetry.toml"],
    pipenv: ["pipfile", "pipfile.lock"],
    tox: ["tox.ini", ...PYTHON],
    nox: ["noxfile.py"],
    pytest: ["conftest.py", "pytest.ini", "tox.ini", ...PYTHON],
    docker: [...COMPOSE, ...IMAGE],
    "docker-compose": [...COMPOSE, ...IMAGE],
    podman: [...COMPOSE, ...IMAGE],
    "podman-compose": [...COMPOSE, ...IMAGE],
    rake: ["rakefile", "rakefile.rb", ...RUBY],
    bundle: RUBY,
    cargo: ["cargo.toml", "cargo.lock", "build.rs", ".cargo"],
    go: ["go.mod", "go.sum", "go.work"],
    mvn: ["pom.xml", ".mvn"],
    mvnw: ["pom.xml", ".mvn"],
    gradle: GRADLE,
    gradlew: GRADLE,
    composer: ["composer.json", "composer.lock"],
  }),
);

/** What these take for a file's name without its ending. */
export const ENDINGS: ReadonlyMap<string, readonly string[]> = new Map(
  ["node", "nodejs", "bun", "tsx", "ts-node"].map((program) => [
    program,
    [".js", ".cjs", ".mjs", ".json", ".ts", ".cts", ".mts"],
  ]),
);
