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

const PROCFILE = ["procfile", "procfile.dev", ".env", ".foreman", ".overmind.env"];
const CONDA = ["environment.yml", "environment.yaml", "conda-lock.yml"];

/** Programs that run what a file of a fixed name says, or what it has them fetch. In lower case; a folder stands for all in it, `**` for any folder. */
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
    uv: [...PYTHON, "uv.lock", "uv.toml"],
    poetry: [...PYTHON, "poetry.lock", "poetry.toml"],
    pipenv: ["pipfile", "pipfile.lock"],
    tox: ["tox.ini", ...PYTHON],
    nox: ["noxfile.py"],
    pytest: ["**/conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", ...PYTHON],
    conda: CONDA,
    mamba: CONDA,
    micromamba: CONDA,
    alembic: ["alembic.ini", "pyproject.toml"],
    celery: ["celeryconfig.py"],
    flask: ["app.py", "wsgi.py", ".flaskenv", ".env"],
    fastapi: ["main.py", "app.py", "api.py", "app", "pyproject.toml"],
    gunicorn: ["gunicorn.conf.py"],
    langgraph: ["langgraph.json", ".env"],
    crewai: [...PYTHON, "uv.lock"],
    honcho: PROCFILE,
    foreman: PROCFILE,
    overmind: PROCFILE,
    hivemind: PROCFILE,
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

/** Any of their words may be a module's name. */
export const TAKES_MODULES: ReadonlySet<string> = new Set([
  "arq",
  "celery",
  "daphne",
  "dramatiq",
  "flask",
  "granian",
  "gunicorn",
  "hypercorn",
  "uvicorn",
  "waitress-serve",
]);
