import { afterLogout, asRoot, asUser } from "./as.mjs"
import { hasFirecracker, onDriver } from "./firecracker.mjs"
import { ordinaryUser } from "./product.mjs"
import { vitest } from "./vitest.mjs"

const guest = (name, ...leaveOut) => ["KVM", "guest", [`test/guest/${name}.test.ts`], leaveOut]

/**
 * What an ordinary user can run of the suites of network and secrets. Needs root: the network device (`tap`), and a guest agent outside
 * a microVM that steers (BPF). Needs registries: package-cache, dependencies, secret-http-clients. Unit tests depend on neither.
 */
const onQemu = [
  ["-", "network", ["test/network/dial.test.ts", "test/network/proxy.test.ts"]],
  ["-", "agent", ["test/agent/network.test.ts", "test/agent/secrets.test.ts"]],
  guest("network"),
  guest("network-steering"),
  guest("network-untrusted"),
  guest("secret-http"),
  guest("workspace-secrets")
]

/**
 * What a workspace does on every driver, from its life with crashes to its disk. Left out with a reason: workspace-disk and
 * workspace-flatten look at the layers of qcow2, network-tap needs a device that Firecracker has none of, the full file system of
 * workspace-disk-tools and workspace-full-host need root's mount.
 */
const onFirecracker = [
  guest("lifecycle"),
  guest("lifecycle-faults"),
  guest("hostile-agent"),
  guest("network"),
  guest("network-untrusted"),
  guest("secret-http"),
  ["KVM", "soak", ["test/soak/lifecycle-residents.test.ts"]],
  guest("workspace-service"),
  guest("workspace-shell"),
  guest("workspace-ports"),
  guest("workspace-snapshot"),
  guest("workspace-compare"),
  guest("workspace-disk-tools", "full file system"),
  guest("workspace-disk-grow"),
  guest("workspace-lifecycle"),
  guest("workspace-lifecycle-daemon"),
  guest("workspace-lifecycle-interrupted"),
  guest("workspace-lifecycle-crowd")
]

/** The fault points alone take half an hour on an idle host. */
const seconds = 7200

/** Members of the pool would compete with the tests for one processor. The tests look at disks by debugfs and e2fsck. */
const withoutPool = (check) => (perform) =>
  check((script) => perform(`export PYRO_POOL_MEMBERS=0 PATH=$PATH:/usr/sbin:/sbin\n${script}`))

const check = (driver, project, names, leaveOut) => {
  const run = onDriver(driver, vitest(project, names, leaveOut))
  return driver === "firecracker" ? withoutPool(run) : run
}

/** The suites of a driver as an ordinary user, in guests on KVM. */
export const suites = ({ driver }) => [
  asUser("-", "an ordinary user: a login session, no root, no sudo", 60, ordinaryUser),
  asRoot("the user joins the group kvm", "usermod -aG kvm dev"),
  ...driver === "firecracker" ? [asUser("-", "Firecracker in ~/.local/bin", 60, hasFirecracker)] : [],
  ...(driver === "firecracker" ? onFirecracker : onQemu).map(([accelerator, project, names, leaveOut = []]) =>
    asUser(accelerator, titleOf(names, leaveOut), seconds, check(driver, project, names, leaveOut))
  ),
  asRoot("logged out: no process and no memory of the user's VMs is left", afterLogout)
]

const titleOf = (names, leaveOut) =>
  `${names.join(", ")}${leaveOut.length === 0 ? "" : `, without ${leaveOut.join(", ")}`}`
