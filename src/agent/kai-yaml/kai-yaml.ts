import { field, object, text } from "../schema.js";
import { AGENT_ID } from "./agent-id.js";
import { CHECKS, DEPLOY, EVENTS, LIFECYCLE, MONITORING } from "./operation.js";
import { ROLLBACK_SYSTEM } from "./rollback-system.js";
import { SNAPSHOT_ISOLATION } from "./snapshot-isolation.js";
import { VERSION_MANAGEMENT } from "./version-management.js";

/** The whole of kai.yaml. Validation, the JSON Schema, `config show` and docs/configuration.md are all made from this. */
export const KAI_YAML = object({
  agent_id: field("The agent's id; the one key that must be there.", text(undefined, AGENT_ID)),
  version_management: field("Versions: numbers, tags, artifacts.", VERSION_MANAGEMENT),
  snapshot_isolation: field("Snapshots: what a version is tried in.", SNAPSHOT_ISOLATION),
  lifecycle: field("The commands that manage the running agent.", LIFECYCLE),
  rollback_system: field("Rollbacks.", ROLLBACK_SYSTEM),
  checks: field("What is checked of a change.", CHECKS),
  deploy: field("Deployments.", DEPLOY),
  events: field("Who is told of what happens.", EVENTS),
  monitoring: field("Metrics and alerts.", MONITORING),
});
