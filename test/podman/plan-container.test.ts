import { expect, test } from "vitest";
import type { FeatureName, HostCapabilities } from "../../src/podman/capabilities.js";
import { type ContainerPlan, planContainer } from "../../src/podman/plan-container.js";

const hostWith = (more: Partial<HostCapabilities>, ...ok: FeatureName[]): HostCapabilities => ({
  podman: "4.3.1",
  kernel: "6.1",
  rootless: false,
  cgroups: "v2",
  cgroupManager: "cgroupfs",
  runtime: "runc",
  limits: { nofile: 1024, nproc: 2000 },
  features: ok.map((name) => ({ name, state: "ok", detail: "" })),
  ...more,
});

const plan: ContainerPlan = {
  name: "kai-1",
  labels: { "kai.owner": "boot:1:2" },
  root: { kind: "skeleton", path: "/cache/skeleton", mounts: [{ host: "/usr", inside: "/usr" }] },
  app: { lower: "/t/lower", upper: "/t/upper", work: "/t/work" },
  user: { uid: 1000, gid: 1000 },
  security: {
    seccompProfile: "/t/seccomp.json",
    apparmor: true,
    selinux: true,
    readOnlyRoot: true,
    noNewPrivileges: true,
    capabilities: [],
  },
  limits: { cpus: 0.5, memoryBytes: 64 * 1024 * 1024, pids: 20, seconds: 30 },
  env: { A: "b c" },
  cgroupParent: "/kai/kai-1",
  command: ["/bin/sh", "-c", "true"],
};

test("everything is shut, and the limits are set", () => {
  expect(planContainer(plan, hostWith({}, "memory", "cpu", "pids")).join(" ")).toMatchInlineSnapshot(
    `"--runtime runc run --sig-proxy=false --name kai-1 --label kai.owner=boot:1:2 --log-driver none --no-healthcheck --network none --hostname sandbox --cgroupns private --pid private --uts private --ipc private --shm-size 16777216 --no-hosts --http-proxy=false --user 1000:1000 --cap-drop all --security-opt no-new-privileges --security-opt seccomp=/t/seccomp.json --read-only --read-only-tmpfs=false --tmpfs /tmp:rw,nosuid,nodev,size=16777216,mode=1777,notmpcopyup --memory 67108864b --memory-swap 67108864b --cpus 0.5 --pids-limit 20 --ulimit nofile=1024:1024 --ulimit nproc=2000:2000 --ulimit core=0:0 --timeout 30 --cgroup-parent /kai/kai-1 --volume /t/lower:/app:O,upperdir=/t/upper,workdir=/t/work --workdir /app --env HOME=/tmp --env LANG=C.UTF-8 --env A=b c --volume /usr:/usr:ro,nosuid,nodev --rootfs /cache/skeleton:O /bin/sh -c true"`,
  );
});

test("a limit that does nothing on the host is not asked for, and the user's own limit of processes stands in", () => {
  const args = planContainer(plan, hostWith({})).join(" ");
  expect(args).not.toMatch(/--memory|--cpus|--pids-limit/);
  expect(args).toContain("nproc=20:20");
});

test("rootless, the caller is the sandbox's user inside", () => {
  expect(planContainer(plan, hostWith({ rootless: true }))).toContain("--userns=keep-id:uid=1000,gid=1000");
});

test("what is worked in can be shown elsewhere, and further folders are its own", () => {
  const args = planContainer(
    { ...plan, app: { folder: "/t/copy" }, place: "/srv/agent", scratch: ["/home/ada"] },
    hostWith({}),
  );
  expect(args.join(" ")).toContain("--volume /t/copy:/srv/agent:rw --workdir /srv/agent");
  expect(args).toContain("/home/ada:rw,nosuid,nodev,size=16777216,mode=1777,notmpcopyup");
});

test("an image is used by its id, never pulled, without its own entry point and volumes", () => {
  const args = planContainer({ ...plan, root: { kind: "image", id: "sha256:ab" } }, hostWith({})).join(" ");
  expect(args).toMatch(/--pull=never --image-volume=ignore --entrypoint \[\] sha256:ab \/bin\/sh -c true$/);
  expect(args).not.toContain("/usr:/usr");
});

test("what a configuration opens is opened, and nothing more", () => {
  const security = { ...plan.security, capabilities: ["NET_BIND_SERVICE"], readOnlyRoot: false, apparmor: false };
  const args = planContainer({ ...plan, security }, hostWith({})).join(" ");
  expect(args).toContain("--cap-drop all --cap-add NET_BIND_SERVICE");
  expect(args).toContain("apparmor=unconfined");
  expect(args).not.toContain("--read-only");
});

test("a container that idles has a first process of the host, and is let go at once", () => {
  const idle = {
    ...plan,
    command: { init: "/usr/bin/catatonit", pidFile: "/t/pid" },
    limits: { ...plan.limits, seconds: 0 },
  };
  const args = planContainer(idle, hostWith({})).join(" ");
  expect(args).toMatch(/^--runtime runc run --detach --pidfile \/t\/pid --name kai-1 /);
  expect(args).toContain("--volume /usr/bin/catatonit:/.kai-init:ro,nosuid,nodev");
  expect(args).toMatch(/ \/\.kai-init -P$/);
  expect(args).not.toMatch(/--timeout|--sig-proxy/);
});

test("namespaces that are not its own are the host's, but for those of mounts and network", () => {
  const args = planContainer({ ...plan, namespaces: [] }, hostWith({})).join(" ");
  expect(args).toContain("--network none --cgroupns host --pid host --uts host --ipc host --tmpfs /dev/shm:rw");
  expect(args).not.toMatch(/--hostname|--shm-size|--uidmap|--userns/);
});

test("rootless, the host's processes are only shared where a control group can end those of the sandbox", () => {
  const shared = { ...plan, namespaces: [] };
  expect(planContainer(shared, hostWith({ rootless: true })).join(" ")).toContain("--pid private --uts host");
  expect(planContainer(shared, hostWith({ rootless: true }, "pids")).join(" ")).toContain("--pid host");
});

test("a user namespace of root's is a single range that nobody has", () => {
  const mapped: ContainerPlan = { ...plan, namespaces: ["user"], user: { uid: 70_000, gid: 5 } };
  expect(planContainer(mapped, hostWith({})).join(" ")).toContain(
    "--uidmap 0:1879048192:70001 --gidmap 0:1879048192:70001",
  );
  expect(planContainer(mapped, hostWith({ rootless: true })).join(" ")).not.toContain("--uidmap");
});

test("a folder that is written itself, further mounts, devices, and a network", () => {
  const args = planContainer(
    {
      ...plan,
      app: { folder: "/t/app" },
      mounts: [{ host: "/models", inside: "/models" }],
      devices: ["nvidia.com/gpu=0"],
      groups: [44],
      network: { kind: "bridge", name: "kai-net" },
    },
    hostWith({}),
  ).join(" ");
  for (const part of [
    "--volume /t/app:/app:rw --workdir /app",
    "--volume /models:/models:ro,nosuid,nodev",
    "--device nvidia.com/gpu=0 --group-add 44",
    "--network kai-net",
  ]) {
    expect(args).toContain(part);
  }
});
