import { afterLogout, asRoot, asRootsPyro, asUser } from "./as.mjs"
import { hasFirecracker, onDriver } from "./firecracker.mjs"
import { ordinaryUser } from "./product.mjs"
import { besideCache, vitest } from "./vitest.mjs"

const tests = (project, names, titles = {}) => ({
  project,
  files: names.map((name) => `test/${project}/${name}.test.ts`),
  ...titles
})
const guest = (name, titles) => tests("guest", [name], titles)

/** Tests of a file that mount a file system of their own, which takes root. */
const mounts = "full file system"

/** What an ordinary user can run of the suites of network and secrets. */
const ofNetwork = [
  tests("network", ["dial", "proxy"], { accelerator: "-" }),
  tests("agent", ["network", "secrets"], { accelerator: "-" }),
  ...["network", "network-steering", "network-untrusted", "secret-http", "workspace-secrets"].map((name) => guest(name))
]

/** What a workspace does on every driver, from its life with crashes to its disk. */
const ofWorkspaces = [
  ...["lifecycle", "lifecycle-faults", "lifecycle-saved", "hostile-agent"].map((name) => guest(name)),
  ...["network", "network-untrusted", "network-pause", "secret-http"].map((name) => guest(name)),
  tests("soak", ["lifecycle-residents", "lifecycle-rewind-faults"]),
  ...["workspace-service", "workspace-shell", "workspace-ports"].map((name) => guest(name)),
  ...["workspace-snapshot", "workspace-saved", "workspace-pause", "workspace-pause-uses"].map((name) => guest(name)),
  guest("workspace-compare"),
  guest("workspace-rewind"),
  guest("workspace-disk-tools", { leaveOut: [mounts] }),
  guest("workspace-disk-grow"),
  ...["", "-daemon", "-interrupted", "-crowd"].map((name) => guest(`workspace-lifecycle${name}`))
]

const ofRootsWorkspaces = [guest("workspace-disk-tools", { only: mounts }), guest("workspace-full-host")]

/** Deadline of one suite. The fault points alone take half an hour on an idle host. */
const seconds = 7200

/** Members of the pool would compete with the tests for one processor. The tests look at disks by debugfs and e2fsck. */
const withoutPool = (check) => (perform) =>
  check((script) => perform(`export PYRO_POOL_MEMBERS=0 PATH=$PATH:/usr/sbin:/sbin\n${script}`))

const run = (driver, { files, project, ...titles }) => onDriver(driver, vitest(project, files, titles))

const titleOf = ({ files, leaveOut = [], only = "" }) =>
  `${files.join(", ")}${leaveOut.map((title) => `, without ${title}`).join("")}${only === "" ? "" : `, only ${only}`}`

const asUserOn = (driver, suites, around) =>
  suites.map((suite) => asUser(suite.accelerator ?? "KVM", titleOf(suite), seconds, around(run(driver, suite))))

const loggedOut = asRoot("logged out: no process and no memory of the user's VMs is left", afterLogout)

const onDrivers = {
  qemu: [...asUserOn("qemu", ofNetwork, (check) => check), loggedOut],
  firecracker: [
    asUser("-", "Firecracker in ~/.local/bin", 60, hasFirecracker),
    ...asUserOn("firecracker", ofWorkspaces, (check) => besideCache(withoutPool(check))),
    loggedOut,
    asRoot(
      "root gets a copy of the user's cache",
      "mkdir -p /root/.cache && cp -r /home/dev/.cache/pyro /root/.cache/"
    ),
    ...ofRootsWorkspaces.map((suite) => asRootsPyro(titleOf(suite), seconds, withoutPool(run("firecracker", suite))))
  ]
}

/** The suites of a driver in guests on KVM: as an ordinary user, then what needs root. */
export const suites = ({ driver }) => [
  asUser("-", "an ordinary user: a login session, no root, no sudo", 60, ordinaryUser),
  asRoot("the user joins the group kvm", "usermod -aG kvm dev"),
  ...onDrivers[driver]
]

/** Files that the suites of a driver run. */
export const filesOf = ({ driver }) =>
  (driver === "firecracker" ? [...ofWorkspaces, ...ofRootsWorkspaces] : ofNetwork).flatMap(({ files }) => files)
