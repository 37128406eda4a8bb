import { Effect, Result } from "effect"
import type { DoctorLine } from "../../../contract/rows/host.ts"
import { typedMessage } from "../../../contract/rows/next-steps.ts"
import { Environments } from "../../../lib/environment/Environments.ts"
import { exists } from "../../../system/files/entries.ts"
import { attempt } from "../../../system/files/failure.ts"
import { existingMemoryDir, Paths } from "../../../system/files/Paths.ts"
import { asNamespaceRoot, packageOf, runTool } from "../../../system/processes/child.ts"
import {
  availableMemoryBytes,
  canLink,
  coreCount,
  cpuModel,
  fileBytes,
  findProgram,
  freeBytes,
  isRoot,
  isTmpfs,
  readSettings,
  userName
} from "../../../system/processes/host.ts"
import { readWorkspaces } from "../../../workspace/life/records/recorded.ts"
import { fine, improvable, wrong } from "./line.ts"

const mib = 1024 * 1024

/** Space that one default VM and a build of an environment need. */
const neededMemoryMib = 1536
const neededCacheMib = 3072
const neededStateMib = 512

const gib = (bytes: number) => `${(bytes / 1024 / mib).toFixed(1)} GiB`

export const cpu: DoctorLine = fine(
  "cpu",
  `${coreCount()} of ${cpuModel()}`
)

export const memory = Effect.sync((): DoctorLine => {
  const available = availableMemoryBytes()
  return available >= neededMemoryMib * mib
    ? fine("memory", `${gib(available)} available`)
    : wrong(
      "memory",
      `only ${gib(available)} available; a default VM may use 1 GiB`,
      "end other programs, or use --mem-mib 512"
    )
})

const room = (name: string, directory: string, neededMib: number, variable: string): Effect.Effect<DoctorLine> =>
  Effect.match(attempt("statfs", directory, () => freeBytes(directory)), {
    onFailure: ({ detail }) => wrong(name, detail, `make ${directory} readable, or set ${variable}`),
    onSuccess: (free) =>
      free >= neededMib * mib
        ? fine(name, `${gib(free)} free at ${directory}`)
        : wrong(
          name,
          `only ${gib(free)} free at ${directory}`,
          `free some space (pyro env prune; pyro gc), or set ${variable}`
        )
  })

export const storage = Effect.gen(function*() {
  const { cacheDir, memoryDir, stateDir } = yield* Paths
  const memoryAt = existingMemoryDir(memoryDir)
  const store = yield* room("memory store", memoryAt, neededMemoryMib, "PYRO_MEMORY_DIR")
  return [
    yield* room("state directory", stateDir, neededStateMib, "PYRO_STATE_DIR"),
    yield* room("cache directory", cacheDir, neededCacheMib, "PYRO_CACHE_DIR"),
    !store.ok || isTmpfs(memoryAt)
      ? store
      : improvable(
        "memory store",
        `${store.found} (on disk, not in RAM: restores are slower)`,
        "mount a tmpfs at /dev/shm, or set PYRO_MEMORY_DIR"
      )
  ]
})

/** Host programs that a run, a build or a tool for disks starts. Ordinary users need newuidmap as well: builds have many ids. */
const tools = [
  ...["bwrap", "setpriv", "flock", "mmdebstrap", "mkfs.erofs", "zstd", "xz", "lz4", "dpkg-deb", "depmod"],
  ...["qemu-system-x86_64", "qemu-img"]
]

/** One command installs everything that is missing. */
export const programs = Effect.sync((): DoctorLine => {
  const needed = isRoot() ? tools : [...tools, "newuidmap"]
  const missing = needed.filter((tool) => findProgram(tool) === undefined)
  return missing.length === 0
    ? fine("programs", needed.join(", "))
    : wrong(
      "programs",
      `missing: ${missing.join(", ")}`,
      `sudo apt-get install ${[...new Set(missing.map(packageOf))].join(" ")}`
    )
})

/** An environment has files of many users: an ordinary user builds one with the ids of `/etc/subuid` and `/etc/subgid`. */
const subordinateIds = Effect.suspend(() => {
  if (isRoot() || findProgram("newuidmap") === undefined) return Effect.void
  const [program, ...args] = asNamespaceRoot(["true"])
  return runTool(program, args)
})

export const userNamespaces = runTool("unshare", ["--user", "--map-root-user", "--mount", "true"]).pipe(
  Effect.andThen(
    Effect.match(subordinateIds, {
      onSuccess: () => fine("user namespaces", "an ordinary user may make them"),
      onFailure: () =>
        wrong(
          "user namespaces",
          "this user has no subordinate ids, and builds of environments need them",
          "sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \"$USER\""
        )
    })
  ),
  Effect.catch((failure) => {
    const found = `not to be had: ${failure._tag === "ToolFailed" ? failure.message : typedMessage(failure)}`
    const restricted = exists("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    return Effect.succeed(
      isRoot()
        ? improvable("user namespaces", `${found} (root does without)`, "sudo sysctl user.max_user_namespaces=10000")
        : wrong(
          "user namespaces",
          found,
          restricted
            ? "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (or an AppArmor profile for bwrap)"
            : "sudo sysctl kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000"
        )
    )
  })
)

/**
 * The effect of a logout on running VMs: systemd-logind removes this user's files from /dev/shm (RemoveIPC) unless
 * the user lingers, and kills processes where KillUserProcesses is set.
 */
export const logout = Effect.sync((): DoctorLine => {
  const user = userName()
  if (isRoot()) return fine("logout", "root's VMs and their memory stay")
  if (!exists("/run/systemd/system")) return fine("logout", "no systemd-logind here: VMs and their memory stay")
  if (exists(`/var/lib/systemd/linger/${user}`)) {
    return fine("logout", "this user lingers: VMs and their memory stay")
  }
  const conf = readSettings("/etc/systemd/logind.conf")
  const kills = /^\s*KillUserProcesses\s*=\s*(yes|true|1|on)/mi.test(conf)
  return kills
    ? improvable("logout", "ends every VM of this user (KillUserProcesses)", `sudo loginctl enable-linger ${user}`)
    : fine("logout", "VMs go on; the names of their memory files may vanish, which does not harm them")
})

/** Kernel and initramfs of a guest, in MiB: 53.2 and 0.4 MB (Debian's 6.1.176). */
const KERNEL_MIB = 51

/** Disk space of a workspace: it links images of the cache, and copies them if it cannot. */
export const sharing: Effect.Effect<ReadonlyArray<DoctorLine>, never, Environments | Paths> = Effect.gen(function*() {
  const { cacheDir, stateDir } = yield* Paths
  if (canLink(cacheDir, stateDir)) return [fine("images", "each workspace shares those of the cache, without a copy")]
  const all = yield* Effect.orElseSucceed(Effect.flatMap(Environments, ({ list }) => list), () => [])
  const costs = all.flatMap(({ environment }) =>
    environment === undefined
      ? []
      : [`${Math.ceil(fileBytes(environment.imagePath) / mib) + KERNEL_MIB} MiB of ${environment.name}`]
  )
  const each = costs.length === 0 ? `its environment and ${KERNEL_MIB} MiB of kernel` : costs.join(", or ")
  return [improvable(
    "images",
    `the cache and the state directory are on different file systems: each workspace copies ${each}, and its seed`,
    "put both on one file system with PYRO_STATE_DIR or PYRO_CACHE_DIR"
  )]
})

/**
 * A line for each workspace whose record cannot be read. Until it is fixed, `pyro gc` removes no disk, because the record may name any
 * of them.
 */
export const workspaces = Effect.map(readWorkspaces, (all): ReadonlyArray<DoctorLine> => {
  const damaged = all.filter(({ record }) => Result.isFailure(record))
  if (damaged.length === 0) {
    return [fine("workspaces", all.length === 0 ? "none" : `${all.length}, each with a record that can be read`)]
  }
  return damaged.map(({ folder: { record }, id }) =>
    wrong(
      "workspaces",
      `${id} is left alone, its record is damaged`,
      `fix ${record}, then: pyro daemon stop; or give the workspace up: pyro delete ${id}`
    )
  )
}).pipe(
  Effect.catch((failure) => Effect.succeed([wrong("workspaces", "they cannot be read", typedMessage(failure))]))
)
