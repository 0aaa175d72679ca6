import { isCron } from "../cron.js";
import { choice, duration, field, integer, list, name, object, orNull, record, text } from "../schema.js";

const METRICS = [
  "version_creation_time",
  "snapshot_creation_time",
  "rollback_success_rate",
  "rollback_execution_time",
  "resource_utilization",
] as const;

const command = (fallback: string) => ({
  run: field("The shell command; null: none.", orNull(text(undefined))),
  timeout: field("The longest that it may take.", duration(fallback)),
});

const CRON = text(undefined, {
  expected: 'five fields as in crontab(5), such as "0 3 * * *"',
  pattern: /^(?:[\d*,/A-Za-z-]{1,60} +){4}[\d*,/A-Za-z-]{1,60}$/,
  test: isCron,
});

const WEBHOOK = text(undefined, {
  expected: "a URL that begins with https:// or http://",
  test: (written) => /^https?:\/\//i.test(written) && URL.canParse(written),
});

const CONDITION = text(undefined, {
  expected: 'comparisons joined by AND or OR, such as "cpu_usage > 80% OR memory_usage > 90%"',
  pattern:
    /^\s*\w{1,64}\s*(?:<=|>=|==|!=|<|>)\s*[\d.]{1,20}%?(?:\s+(?:AND|OR)\s+\w{1,64}\s*(?:<=|>=|==|!=|<|>)\s*[\d.]{1,20}%?){0,20}\s*$/,
});

export const LIFECYCLE = object({
  stop: field("Stops the running agent.", object(command("30s"))),
  start: field("Starts the agent.", object(command("2m"))),
  health: field(
    "Ends with status 0 where the agent is well.",
    object({
      ...command("10s"),
      retries: field("How often it is tried again.", integer(0, 1000, 5)),
    }),
  ),
  install: field("Installs what the agent depends on.", object(command("3m"))),
  migrate: field("Migrates state from $KAI_FROM to $KAI_TO.", object(command("2m"))),
  trigger: field(
    "When versions are made without being asked for.",
    object({
      on: field("The occasions.", list(choice(["dependency", "schedule", "before-operation"], undefined))),
      schedule: field("When, for the occasion schedule.", orNull(CRON)),
    }),
  ),
});

export const CHECKS = object({
  level: field("The set of rules.", choice(["default"], "default")),
  rules: field(
    "The severity of single rules.",
    record(choice(["allow", "warn", "deny"], undefined), {
      keyForm: "a rule's id",
      keyPattern: /^[a-z][a-z0-9-]{0,99}$/,
    }),
  ),
});

export const DEPLOY = object({
  root: field(
    "The folder that deployments go to; null: `deploy` must be told.",
    orNull(text(undefined, { expected: "a folder" })),
  ),
  keep: field("How many deployments are kept.", integer(1, 10_000, 5)),
});

export const EVENTS = list(
  object({
    on: field(
      "The event, or a glob of events such as `agent.version.*`.",
      text(undefined, {
        expected: "an event such as agent.version.created or agent.version.*",
        pattern: /^(?:\*|[a-z][a-z0-9_-]*)(?:\.(?:\*|[a-z][a-z0-9_-]*)){0,8}$/,
      }),
    ),
    webhook: field("Where it is sent to; either this or `run`.", orNull(WEBHOOK)),
    run: field("The shell command that is handed it; either this or `webhook`.", orNull(text(undefined))),
  }),
);

export const MONITORING = object({
  metrics: field("What is measured.", list(choice(METRICS, undefined), [...METRICS])),
  alerts: field(
    "Conditions that raise an alert.",
    list(
      object({
        name: field("The alert's name.", name()),
        condition: field("When it is raised.", CONDITION),
        severity: field("How bad it is.", choice(["info", "warning", "critical"], "warning")),
      }),
    ),
  ),
});
