import { Effect, Schema } from "effect"
import { randomInt } from "node:crypto"
import { ConfinementUnavailable } from "../../../contract/errors/errors.ts"
import { readIfReadable } from "../../../system/files/content.ts"
import { fileIdentity } from "../../../system/files/host-path.ts"
import { runTool } from "../../../system/processes/child.ts"
import { findProgram, isRoot } from "../../../system/processes/host.ts"
import { HostFacts } from "./HostFacts.ts"

/**
 * How much a QEMU is confined. QEMU's own seccomp filter (no new programs) is always on. `namespaces` adds namespaces in which it sees only
 * its own files. `uid` adds an unprivileged user per VM (if root started pyro).
 */
export const ConfinementLevel = Schema.Literals(["seccomp", "namespaces", "namespaces+uid"])
export type ConfinementLevel = typeof ConfinementLevel.Type

export interface Confinement {
  readonly level: ConfinementLevel
  /** Why the level is not higher, for `doctor`. */
  readonly reason: string
}

/** From the least to the most. */
const levels: ReadonlyArray<ConfinementLevel> = ["seccomp", "namespaces", "namespaces+uid"]

/** Fails if the host allows less confinement than the caller demands. */
export const demand = (reached: Confinement, least: ConfinementLevel | undefined) =>
  least === undefined || levels.indexOf(reached.level) >= levels.indexOf(least)
    ? Effect.void
    : new ConfinementUnavailable({ level: reached.level, detail: reached.reason })

/** Arguments of bubblewrap for new namespaces. */
export const unshare = [
  "--unshare-ipc",
  "--unshare-net",
  "--unshare-uts",
  "--unshare-pid",
  "--unshare-cgroup-try"
]

/** Arguments of bubblewrap for the host's programs, read-only. */
export const system = [
  ...["--ro-bind", "/usr", "/usr", "--ro-bind-try", "/nix/store", "/nix/store"],
  ...["--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/bin", "/bin"],
  ...[
    "--ro-bind-try",
    "/etc/ld.so.cache",
    "/etc/ld.so.cache",
    "--ro-bind-try",
    "/etc/alternatives",
    "/etc/alternatives"
  ],
  // Bubblewrap makes parent folders of a mount point for root only, and a VM's user opens /dev/kvm.
  ...["--perms", "0755", "--dir", "/dev"],
  ...["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"]
]

/** Arguments of bubblewrap for a /proc with the processes of the new namespace alone. */
export const ownProc = ["--proc", "/proc"]

/** Kernel settings that control an ordinary user's namespaces. */
const namespaceSettings = [
  "/proc/sys/user/max_user_namespaces",
  "/proc/sys/kernel/unprivileged_userns_clone",
  "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
]

/** Everything that the answer depends on, so that a repair takes effect at once. */
const confinementKey = () => {
  const bwrap = findProgram("bwrap")
  const settings = namespaceSettings.map((file) => readIfReadable(file)?.trim() ?? "-")
  return [isRoot() ? "root" : "user", bwrap === undefined ? "none" : fileIdentity(bwrap), ...settings].join(":")
}

/** Why bubblewrap cannot start a program with these further arguments. Empty if it can. */
const probe = (further: ReadonlyArray<string>) =>
  runTool("bwrap", [...(isRoot() ? [] : ["--unshare-user"]), ...unshare, ...system, ...further, "--", "true"]).pipe(
    Effect.as(""),
    Effect.catch((failure) => Effect.succeed(failure.message))
  )

/** The confinement that this host allows, probed once per boot. */
export const probeConfinement: Effect.Effect<Confinement, never, HostFacts> = Effect.gen(function*() {
  const facts = yield* HostFacts
  const reason = yield* facts.get(
    `confinement:${confinementKey()}`,
    probe([])
  )
  if (reason !== "") return { level: "seccomp", reason: `namespaces are not to be had: ${reason}` }
  return isRoot()
    ? { level: "namespaces+uid", reason: "" }
    : { level: "namespaces", reason: "a user id of its own for each VM needs pyro to be started by root" }
})

/** Why a VMM of this confinement cannot have a /proc of its own, probed once per boot. Empty if it can. */
export const probeOwnProc = (level: ConfinementLevel): Effect.Effect<string, never, HostFacts> =>
  level === "seccomp"
    ? Effect.succeed("")
    : Effect.flatMap(HostFacts, (facts) => facts.get(`own-proc:${confinementKey()}`, probe(ownProc)))

/** First user id of VMs under root: above the ids of systemd, containers and people. */
const firstVmUid = 0x7000_0000
const vmUidCount = 0x0100_0000

/** Owner of a VM's files: a user of its own under root, else this user. */
export const chooseVmUid = (level: ConfinementLevel): number =>
  level === "namespaces+uid" ? firstVmUid + randomInt(vmUidCount) : process.getuid?.() ?? 0
