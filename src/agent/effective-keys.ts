/**
 * What of kai.yaml is in effect: a key (`*` for one word of it), and `true` or the values that are. In effect means that
 * another value would make a command do something else; a value that is refused (see below), or only remarked on, is not. A
 * key that is not here is accepted and checked, and `config show` says that nothing acts on it yet.
 */
export const EFFECTIVE_KEYS: Readonly<Record<string, true | readonly unknown[]>> = {
  agent_id: true,
  "version_management.semantic_versioning.auto_increment": true,
  "version_management.semantic_versioning.change_detection": true,
  "version_management.semantic_versioning.compatibility_checking": true,
  "version_management.semantic_versioning.tag_format": true,
  "version_management.artifacts.*.include": true,
  "version_management.artifacts.*.exclude": true,
  "version_management.artifacts.build.outputs": true,
  "version_management.artifacts.models.versioning": true,
  "version_management.artifacts.state.encrypt": true,
  "version_management.artifacts.state.keep": true,
  "version_management.dependencies.agents": true,
  "snapshot_isolation.enable": true,
  "snapshot_isolation.container_runtime": ["podman"],
  "snapshot_isolation.base_images": true,
  "snapshot_isolation.base_images.python": true,
  "snapshot_isolation.base_images.node": true,
  "snapshot_isolation.base_images.custom": true,
  "snapshot_isolation.default_isolation": true,
  "snapshot_isolation.require_snapshot_test": true,
  "snapshot_isolation.filesystem": true,
  "snapshot_isolation.commit_changes": true,
  "snapshot_isolation.rollback_on_error": true,
  "snapshot_isolation.max_concurrent": true,
  "snapshot_isolation.cleanup_after": true,
  "snapshot_isolation.temp_dir": true,
  "snapshot_isolation.resource_limits.cpu": true,
  "snapshot_isolation.resource_limits.memory": true,
  "snapshot_isolation.resource_limits.storage": true,
  "snapshot_isolation.resource_limits.pids": true,
  "snapshot_isolation.resource_limits.timeout": true,
  "snapshot_isolation.resource_limits.network_bandwidth": true,
  "snapshot_isolation.resource_limits.gpu": true,
  "snapshot_isolation.security.read_only_root": true,
  "snapshot_isolation.security.no_new_privileges": true,
  "snapshot_isolation.security.run_as_user": true,
  "snapshot_isolation.security.run_as_group": true,
  "snapshot_isolation.security.capabilities": true,
  "snapshot_isolation.security.seccomp": true,
  "snapshot_isolation.security.apparmor": true,
  "snapshot_isolation.security.selinux": true,
  "snapshot_isolation.isolation_levels.development.namespaces": true,
  "snapshot_isolation.isolation_levels.development.capabilities": true,
  "snapshot_isolation.isolation_levels.development.read_only_root": true,
  "snapshot_isolation.isolation_levels.testing.namespaces": true,
  "snapshot_isolation.isolation_levels.testing.capabilities": true,
  "snapshot_isolation.isolation_levels.testing.read_only_root": true,
  "snapshot_isolation.isolation_levels.production.namespaces": true,
  "snapshot_isolation.isolation_levels.production.capabilities": true,
  "snapshot_isolation.isolation_levels.production.read_only_root": true,
  "snapshot_isolation.network.mode": true,
  "snapshot_isolation.network.allow_internet": true,
  "snapshot_isolation.network.allowed_hosts": true,
  "snapshot_isolation.network.subnet": true,
  "snapshot_isolation.secrets": true,
  "snapshot_isolation.tests": true,
  "snapshot_isolation.tests.name": true,
  "snapshot_isolation.tests.kind": true,
  "snapshot_isolation.tests.run": true,
  "snapshot_isolation.tests.timeout": true,
  "snapshot_isolation.tests.expect.exit_code": true,
  "snapshot_isolation.tests.expect.stdout": true,
  "snapshot_isolation.tests.expect.max_duration": true,
  "snapshot_isolation.tests.expect.max_memory": true,
  "snapshot_isolation.tests.expect.worse_than_before": true,
  "lifecycle.stop.run": true,
  "lifecycle.stop.timeout": true,
  "lifecycle.start.run": true,
  "lifecycle.start.timeout": true,
  "lifecycle.health.run": true,
  "lifecycle.health.timeout": true,
  "lifecycle.health.retries": true,
  "lifecycle.install.run": true,
  "lifecycle.install.timeout": true,
  "lifecycle.migrate.run": true,
  "lifecycle.migrate.timeout": true,
  "rollback_system.backup_retention": true,
  "rollback_system.safety_checks": true,
  "rollback_system.backup_before_rollback": true,
  "rollback_system.max_rollback_depth": true,
  "rollback_system.rollback_timeout": true,
  "rollback_system.policies": true,
  "rollback_system.policies.name": true,
  "rollback_system.policies.conditions": true,
  "rollback_system.policies.conditions.type": true,
  "rollback_system.policies.conditions.required": true,
  "rollback_system.policies.steps": true,
  "rollback_system.policies.steps.type": true,
  "rollback_system.policies.steps.timeout": true,
  "rollback_system.policies.steps.critical": true,
  "rollback_system.validation.health_checks": true,
  "rollback_system.validation.performance_benchmarks": true,
  "rollback_system.validation.functionality_tests": true,
  "rollback_system.validation.integration_tests": true,
  "rollback_system.recovery.automatic_recovery": true,
  "rollback_system.recovery.recovery_timeout": true,
  "rollback_system.recovery.fallback_strategies": true,
  "deploy.root": true,
  "deploy.keep": true,
};

/** Values that a sandbox cannot be had with: whatever makes one stops with E103. */
const REFUSED: Readonly<Record<string, (value: unknown) => boolean>> = {
  "snapshot_isolation.container_runtime": (value) => value !== "podman",
};

/** Whether the key's value makes every snapshot stop with E103. */
export const isRefused = ({ key, value }: { key: string; value: unknown }): boolean => REFUSED[key]?.(value) ?? false;

/**
 * Whether something acts on the key's value. `pattern` is the key without list positions and without names that users
 * chose; a few of those names, such as `base_images.python`, have keys of their own here.
 */
export function isInEffect({ key, pattern, value }: { key: string; pattern: string; value: unknown }): boolean {
  const ofAnyKind = pattern.replace(/^(version_management\.artifacts)\.\w+\./, "$1.*.");
  const effect = EFFECTIVE_KEYS[key] ?? EFFECTIVE_KEYS[pattern] ?? EFFECTIVE_KEYS[ofAnyKind];
  return effect === true || (effect?.includes(value) ?? false);
}
