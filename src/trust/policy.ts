import { createHash } from "node:crypto";
import canonicalize from "canonicalize";
import { KaiError } from "../error.js";
import type { OperationKind } from "../operation/entry.js";

const ROLES = ["owner", "releaser", "operator", "tester", "auditor"] as const;

/** owner: policy; releaser: create, promote; operator: rollback, deploy; tester: snapshots, runs; auditor: attest. */
export type Role = (typeof ROLES)[number];

interface Principal {
  /** Fingerprints of primary keys: UPPER hex, 40 digits. */
  readonly keys: readonly string[];
  readonly roles: readonly Role[];
}

/** Who may do what, as `policy.json` in the log's tree says it (section 6 of the design). */
export interface Policy {
  readonly format: "kai-policy/1";
  readonly principals: Readonly<Record<string, Principal>>;
  /** How many owners must approve a change of the policy. */
  readonly thresholds: { readonly owner: number };
}

/** The policy that `init` founds: one person, who may do everything. */
export const foundingPolicy = (name: string, fingerprint: string): Policy => ({
  format: "kai-policy/1",
  principals: { [name]: { keys: [fingerprint], roles: ROLES } },
  thresholds: { owner: 1 },
});

/** Reads `policy.json`, strictly: E121 for everything that is not exactly a policy, with what is wrong. */
export function parsePolicy(text: string): Policy {
  const policy = fields(parseJson(text), ["format", "principals", "thresholds"], "the policy");
  if (policy["format"] !== "kai-policy/1") throw notAPolicy("its format is not kai-policy/1");
  const thresholds = fields(policy["thresholds"], ["owner"], "thresholds");
  const owner = thresholds["owner"];
  const principals = Object.entries(objectOf(policy["principals"], "principals"));
  const read = principals.map(([name, value]): [string, Principal] => [name, parsePrincipal(name, value)]);
  if (typeof owner !== "number" || !Number.isSafeInteger(owner) || owner < 1) {
    throw notAPolicy("the threshold of owners is not a number from 1");
  }
  const owners = read.filter(([, { roles }]) => roles.includes("owner")).length;
  if (owners < owner) throw notAPolicy(`it asks for ${owner} owners and has ${owners}`);
  requireEachKeyOnce(read);
  // Null-prototyped, so that no principal's name can reach what objects inherit.
  const byName: Record<string, Principal> = Object.assign(Object.create(null), Object.fromEntries(read));
  const parsed: Policy = { format: "kai-policy/1", principals: byName, thresholds: { owner } };
  // Also what JSON readers differ on, such as a key that stands there twice.
  if (text !== formatPolicy(parsed)) throw notAPolicy("it is not in canonical form");
  return parsed;
}

function parsePrincipal(name: string, value: unknown): Principal {
  const { keys, roles } = fields(value, ["keys", "roles"], `principal ${name}`);
  if (name.trim() === "" || /\p{Cc}/u.test(name)) throw notAPolicy("a principal has no proper name");
  if (!isListOf(keys, isFingerprint) || keys.length === 0) throw notAPolicy(`principal ${name} has no proper keys`);
  if (!isListOf(roles, isRole)) throw notAPolicy(`principal ${name} has a role that there is not`);
  return { keys, roles };
}

// With one key under two names, one person would count for two.
function requireEachKeyOnce(principals: readonly [string, Principal][]): void {
  const keys = principals.flatMap(([, principal]) => principal.keys);
  if (new Set(keys).size !== keys.length) throw notAPolicy("a key stands in it twice");
}

/** Canonical JSON (RFC 8785) and a newline: the same policy is always the same bytes. */
export const formatPolicy = (policy: Policy): string => `${canonicalize(policy)}\n`;

/** SHA-256 of the policy's bytes, in hex. */
export const policyDigest = (policy: Policy): string => createHash("sha256").update(formatPolicy(policy)).digest("hex");

/** The name of the principal that a key belongs to. */
export function principalOf(policy: Policy, fingerprint: string): string | undefined {
  return Object.entries(policy.principals).find(([, { keys }]) => keys.includes(fingerprint))?.[0];
}

/** Whether the owner of this key has the role. */
export function mayDo(policy: Policy, fingerprint: string, role: Role): boolean {
  return Object.values(policy.principals).some(({ keys, roles }) => keys.includes(fingerprint) && roles.includes(role));
}

const ROLE_FOR: Readonly<Record<OperationKind, Role>> = {
  init: "owner",
  create: "releaser",
  promote: "releaser",
  rollback: "operator",
  undo: "operator",
  deploy: "operator",
  state: "operator",
  snapshot: "tester",
  outcome: "operator",
};

/** The role that it takes to do an operation of this kind. */
export const roleFor = (kind: OperationKind): Role => ROLE_FOR[kind];

const isFingerprint = (value: unknown): value is string => typeof value === "string" && /^[0-9A-F]{40}$/.test(value);

const isRole = (value: unknown): value is Role => ROLES.some((role) => role === value);

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem) && new Set(value).size === value.length;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notAPolicy("it is not JSON", cause);
  }
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw notAPolicy(`${what} is not an object`);
}

function fields(value: unknown, names: readonly string[], what: string): Record<string, unknown> {
  const object = objectOf(value, what);
  const unknown = Object.keys(object).find((key) => !names.includes(key));
  if (unknown !== undefined) throw notAPolicy(`${what} has a key that is not known: ${unknown}`);
  const missing = names.find((name) => !Object.hasOwn(object, name));
  if (missing !== undefined) throw notAPolicy(`${what} has no ${missing}`);
  return object;
}

const notAPolicy = (reason: string, cause?: unknown): KaiError =>
  new KaiError("E121", `The policy of this agent cannot be read: ${reason}.`, {
    hint: "Compare with another clone: this one's log was damaged or altered.",
    cause,
  });
