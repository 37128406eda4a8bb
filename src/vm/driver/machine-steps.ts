import { randomBytes } from "node:crypto"
import { type Call, Calls, NetworkMode } from "../../guest-channel/calls.ts"
import { wallClockNs } from "../../system/waits/time.ts"
import {
  type ClaimedDisk,
  type GuestIdentity,
  type GuestSteps,
  inspectedDisk,
  lowerDirectory,
  newGuestIdentity
} from "../guest-steps.ts"

/** Flags of mount(2), from <sys/mount.h>. */
const mountFlags = { readOnly: 1, remount: 32, noAtime: 1024, bind: 4096, move: 8192 } as const

/**
 * Steps of a template's guest: it has the environment mounted and nothing of the workspace disk, and can turn its network on without
 * loading anything.
 */
export const templateSteps = [
  Calls.mount({ source: "/dev/vda", target: lowerDirectory, fstype: "erofs", flags: mountFlags.readOnly, data: "" }),
  Calls.network({ mode: NetworkMode.prepare })
]

/** Bytes of host entropy for a restored guest: the size of the kernel's own pool, in full. */
const entropyBytes = 256

/**
 * Fresh entropy and the right time: before anything else runs in a guest that went on from frozen memory. Clones of one memory
 * otherwise return identical random bytes.
 */
const freshness = (): ReadonlyArray<Call<unknown>> => [
  Calls.reseed({ entropy: randomBytes(entropyBytes) }),
  Calls.clockSet({ ns: wallClockNs() })
]

const hosts = (hostname: string) =>
  `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n`

const ownFiles = "/run/pyro"

const bindOver = (name: string, target: string) =>
  Calls.mount({ source: `${ownFiles}/${name}`, target, fstype: "", flags: mountFlags.bind, data: "" })

const newRoot = "/newroot"

// Without these the guest would write all inode tables of the disk, and build all maps of its free blocks, in the background.
const diskOptions = "noinit_itable,no_prefetch_block_bitmaps"

const mountDisk = (flags: number, data: string) =>
  Calls.mount({ source: "/dev/vdb", target: inspectedDisk, fstype: "ext4", flags: mountFlags.noAtime | flags, data })

/** A disk that has been written may have a journal to be replayed, in the order that barriers keep. */
const mountWritten = [mountDisk(0, diskOptions)]

/**
 * On an empty overlay nothing is there to be lost by a power cut yet. The mount's own note in the superblock is then written without
 * waiting for the host's disk, which is half of the mount's time; from then on barriers are kept.
 */
const mountEmpty = [mountDisk(0, `${diskOptions},barrier=0`), mountDisk(mountFlags.remount, "barrier=1")]

/** An ext4 that has the disk's size already stays as it is. */
const growDisk = Calls.grow({ path: inspectedDisk, device: "/dev/vdb" })

const mountRoot = (disk: ReadonlyArray<Call<unknown>>) => [
  ...disk,
  Calls.mount({
    source: "overlay",
    target: newRoot,
    fstype: "overlay",
    flags: mountFlags.noAtime,
    data: `lowerdir=${lowerDirectory},upperdir=/disk/upper,workdir=/disk/work`
  }),
  Calls.mount({
    source: "/disk/workspace",
    target: `${newRoot}/workspace`,
    fstype: "",
    flags: mountFlags.bind,
    data: ""
  })
]

/** The mounts of a claim, on a disk to which nothing was ever written: the rest of it is `claimSteps` with `isMounted`. */
export const mountSteps = (): ReadonlyArray<Call<unknown>> => mountRoot(mountEmpty)

const writeIdentity = (identity: GuestIdentity) => {
  const write = (name: string, content: string, mode: number) =>
    Calls.writeSmall({ path: `${ownFiles}/${name}`, mode, content: Buffer.from(content) })
  return [
    Calls.mkdir({ path: ownFiles, mode: 0o755 }),
    write("hostname", `${identity.hostname}\n`, 0o644),
    write("hosts", hosts(identity.hostname), 0o644),
    write("machine-id", `${identity.machineId}\n`, 0o444),
    write("boot-id", `${identity.bootId}\n`, 0o444),
    writeGeneration(identity)
  ]
}

/**
 * By which programs notice that they go on in another VM than the one they were started in: whatever restores one writes another
 * id into it before it lets them run.
 */
const generationFile = `${ownFiles}/generation`

const writeGeneration = ({ generation }: GuestIdentity) =>
  Calls.writeSmall({ path: generationFile, mode: 0o444, content: Buffer.from(`${generation}\n`) })

/** Files of the root that tell who the guest is, and those that cover them. */
const covered = [
  ["hostname", "/etc/hostname"],
  ["hosts", "/etc/hosts"],
  ["machine-id", "/etc/machine-id"],
  ["boot-id", "/proc/sys/kernel/random/boot_id"]
] as const

const coverIdentity = covered.map(([name, target]) => bindOver(name, target))

const resolverPath = "/etc/resolv.conf"

/** The first file that a guest writes to its disk takes 20 to 40 ms without KVM; a mount takes less than one. */
const coverResolver = (content: string) => [
  Calls.writeSmall({ path: `${ownFiles}/resolv.conf`, mode: 0o644, content: Buffer.from(content) }),
  bindOver("resolv.conf", resolverPath)
]

/**
 * Makes a restored guest one of its own and gives it its disk. The files that say who it is lie on tmpfs and are bound over those
 * of the root: they belong to the generation, not to the disk.
 */
const claimSteps = (
  identity: GuestIdentity,
  { grows = false, isEmpty = false, isMounted = false }: ClaimedDisk = {}
): ReadonlyArray<Call<unknown>> => [
  ...freshness(),
  Calls.hostname({ name: identity.hostname }),
  ...(isMounted ? [] : mountRoot([...(isEmpty ? mountEmpty : mountWritten), ...(grows ? [growDisk] : [])])),
  ...writeIdentity(identity),
  Calls.mount({ source: "/run", target: `${newRoot}/run`, fstype: "", flags: mountFlags.move, data: "" }),
  Calls.switchRoot({ path: newRoot }),
  ...coverIdentity
]

/**
 * Puts the folder of the inspected disk where a running guest has it: file operations stay beneath it by the same rules. For a disk whose
 * folder is known to be one; nothing runs in an inspector that could exchange it for a link.
 */
const inspectedWorkspace: Call<unknown> = Calls.mount({
  source: `${inspectedDisk}/workspace`,
  target: "/workspace",
  fstype: "",
  flags: mountFlags.bind,
  data: ""
})

/** Where an inspector has the root of the inspected disk. */
const inspectedRootDirectory = "/inspected"

/**
 * Environment and changes as lower layers: the overlay needs no `work` of the disk and writes nothing. The folder for /workspace is the
 * one that is mounted already.
 */
const inspectedRoot = [
  Calls.mount({
    source: "overlay",
    target: inspectedRootDirectory,
    fstype: "overlay",
    flags: mountFlags.noAtime | mountFlags.readOnly,
    data: `lowerdir=${inspectedDisk}/upper:${lowerDirectory}`
  }),
  Calls.mount({
    source: "/workspace",
    target: `${inspectedRootDirectory}/workspace`,
    fstype: "",
    flags: mountFlags.bind,
    data: ""
  })
]

/**
 * Directories of the disk that belong to a run of the workspace. Secrets lie in the guest's memory alone; a directory of the disk that held
 * secrets would stand here.
 */
const leftoverDirectories = ["upper/tmp", "upper/run", "work"]

/** Blocks of removed files are free after the commit of the last sync. */
const scrubInspected = [
  ...leftoverDirectories.map((directory) => Calls.clear({ path: `${inspectedDisk}/${directory}` })),
  Calls.sync({ dropCaches: 0 }),
  mountDisk(mountFlags.remount | mountFlags.readOnly, ""),
  Calls.sync({ dropCaches: 0 })
]

/** Gives a restored guest a disk to look at, and nothing that could run: neither its root nor what is on that is needed. */
const inspectionSteps = (
  { hostname }: GuestIdentity,
  { isMounted = false }: ClaimedDisk = {}
): ReadonlyArray<Call<unknown>> => [
  ...freshness(),
  Calls.hostname({ name: hostname }),
  ...(isMounted ? [] : mountWritten)
]

/** Every command's cgroup is below it (guest-agent/src/cgroup.c); the agent itself is not. */
const freezer = "/sys/fs/cgroup/pyro/cgroup.freeze"

const setFreezer = (value: "0" | "1") => Calls.writeSmall({ path: freezer, mode: 0o644, content: Buffer.from(value) })

/** From its answer on no program of the guest runs, until `startPrograms`. */
export const stopPrograms = setFreezer("1")
export const startPrograms = setFreezer("0")

/**
 * Makes a guest that goes on from a capture one of its own, while its programs are still stopped. Its files that tell who it is are
 * bound over those of the root already: they are written where they are, so that an open one changes too. `hosts` is its /etc/hosts,
 * where that can be read.
 */
const renewalSteps = (identity: GuestIdentity, hosts: string | undefined): ReadonlyArray<Call<unknown>> => [
  ...freshness(),
  ...renameSteps(identity.hostname, hosts),
  writeFile("/etc/machine-id", `${identity.machineId}\n`, 0o444),
  writeFile("/proc/sys/kernel/random/boot_id", `${identity.bootId}\n`, 0o444),
  Calls.mkdir({ path: ownFiles, mode: 0o755 }),
  writeGeneration(identity)
]

const writeFile = (path: string, content: string, mode: number) =>
  Calls.writeSmall({ path, mode, content: Buffer.from(content) })

/** Another name for a guest, in its kernel and in its files. `hosts` is its /etc/hosts, where that can be read. */
const renameSteps = (hostname: string, hosts: string | undefined): ReadonlyArray<Call<unknown>> => [
  Calls.hostname({ name: hostname }),
  ...renameFiles(hostname, hosts)
]

/** The files that name a guest, with another name. */
export const renameFiles = (hostname: string, hosts: string | undefined): ReadonlyArray<Call<unknown>> => [
  writeFile("/etc/hostname", `${hostname}\n`, 0o644),
  ...(hosts === undefined ? [] : [writeFile("/etc/hosts", renamedHosts(hosts, hostname), 0o644)])
]

/** With the guest's own line for the new name; what somebody added stays. */
const renamedHosts = (text: string, hostname: string) =>
  text.replace(/^127\.0\.1\.1[ \t]+\S+[ \t]*$/m, `127.0.1.1 ${hostname}`)

/** The same steps, in a way that `undoWarmUp` can undo: a guest that has been through them does them several times as fast. */
export const warmUpSteps = ({ isMounted }: ClaimedDisk): ReadonlyArray<Call<unknown>> => {
  const nobody = newGuestIdentity("pool")
  return [
    ...freshness(),
    Calls.hostname({ name: nobody.hostname }),
    ...(isMounted === true ? [] : mountSteps()),
    ...writeIdentity(nobody),
    Calls.visitRoot({ path: newRoot }),
    ...coverIdentity
  ]
}

/**
 * Between `warmUpSteps` and `undoWarmUp`: covers the resolver of the root with another file, which is there, so that the guest has looked
 * the path up once. A root without the file fails the first step.
 */
export const warmResolver = {
  cover: bindOver("hosts", resolverPath),
  uncover: Calls.umount({ target: resolverPath, flags: 0 })
} as const

/** Unmounts what the warm-up mounted, so that the disk can be switched. Fails when something in the guest still uses a mount. */
export const undoWarmUp = ({ isMounted }: ClaimedDisk): ReadonlyArray<Call<unknown>> => [
  ...[...covered].reverse().map(([, target]) => Calls.umount({ target, flags: 0 })),
  Calls.visitRoot({ path: "" }),
  ...(isMounted === true ? [] : [`${newRoot}/workspace`, newRoot, inspectedDisk]).map((target) =>
    Calls.umount({ target, flags: 0 })
  )
]

/** Steps of a guest that has a kernel of its own. */
export const machineSteps: GuestSteps = {
  claim: claimSteps,
  coverResolver,
  inspection: inspectionSteps,
  inspectedWorkspace: [inspectedWorkspace],
  scrubInspected,
  inspectedRoot: { directory: inspectedRootDirectory, mounts: inspectedRoot },
  renewal: renewalSteps,
  rename: renameSteps,
  startPrograms: [startPrograms]
}
