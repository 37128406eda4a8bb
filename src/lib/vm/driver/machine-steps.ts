import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { wallClockNs } from "../../../system/waits/time.ts"
import { type Call, Calls, NetworkMode } from "../../guest-channel/model/calls.ts"
import {
  type ClaimedDisk,
  type GuestIdentity,
  type GuestSteps,
  inspectedDisk,
  lowerDirectory,
  newGuestIdentity,
  resolverContent,
  type Steps
} from "../model/guest-steps.ts"

/** Flags of mount(2), from <sys/mount.h>. */
const mountFlags = { readOnly: 1, remount: 32, noAtime: 1024, bind: 4096, move: 8192 } as const

/** Bytes of host entropy for a restored guest: the size of the kernel's pool. */
const entropyBytes = 256

/**
 * Fresh entropy and the correct time, before anything else runs in a guest that continues from frozen memory. Clones of one memory would
 * otherwise return identical random bytes.
 */
const freshness = (): Steps => [
  Calls.reseed({ entropy: randomBytes(entropyBytes) }),
  Calls.clockSet({ ns: wallClockNs() })
]

const hosts = (hostname: string) =>
  `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n`

const ownFiles = "/run/pyro"

const bindOver = (name: string, target: string) =>
  Calls.mount({ source: `${ownFiles}/${name}`, target, fstype: "", flags: mountFlags.bind, data: "" })

const newRoot = "/newroot"

// Without these options the guest would write all inode tables of the disk, and build all maps of its free blocks, in the background.
const diskOptions = "noinit_itable,no_prefetch_block_bitmaps"

/** The workspace disk as a guest has it. */
export interface WorkspaceDevice {
  /** Path in the guest. */
  readonly path: string
  /** Before its first mount. */
  readonly attach: Steps
  /** After its last unmount. */
  readonly detach: Steps
}

const mountDevice = (device: WorkspaceDevice, flags: number, data: string) =>
  Calls.mount({ source: device.path, target: inspectedDisk, fstype: "ext4", flags: mountFlags.noAtime | flags, data })

/** A written disk may have a journal to replay, in the order that barriers keep. */
const mountWritten = (device: WorkspaceDevice): Steps => [...device.attach, mountDevice(device, 0, diskOptions)]

/**
 * An empty overlay has nothing to lose in a power cut. So the mount writes its note in the superblock without a flush of the host's disk,
 * which saves half of the mount's time. Later writes keep barriers.
 */
const mountEmpty = (device: WorkspaceDevice): Steps => [
  ...device.attach,
  mountDevice(device, 0, `${diskOptions},barrier=0`),
  mountDevice(device, mountFlags.remount, "barrier=1")
]

/** An ext4 with the disk's size stays unchanged. */
const growDisk = (device: WorkspaceDevice) => Calls.grow({ path: inspectedDisk, device: device.path })

const mountRoot = (disk: Steps): Steps => [
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

const unmountRoot = (device: WorkspaceDevice): Steps => [
  ...[`${newRoot}/workspace`, newRoot, inspectedDisk].map((target) => Calls.umount({ target, flags: 0 })),
  ...device.detach
]

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

/** Programs read this file to notice that they continue in another VM: a restore writes a new id before it lets them run. */
const generationFile = `${ownFiles}/generation`

const writeGeneration = ({ generation }: GuestIdentity) =>
  Calls.writeSmall({ path: generationFile, mode: 0o444, content: Buffer.from(`${generation}\n`) })

/** Files of the root with the guest's identity, and the files that cover them. */
const covered = [
  ["hostname", "/etc/hostname"],
  ["hosts", "/etc/hosts"],
  ["machine-id", "/etc/machine-id"],
  ["boot-id", "/proc/sys/kernel/random/boot_id"]
] as const

const coverIdentity = covered.map(([name, target]) => bindOver(name, target))

const resolverPath = "/etc/resolv.conf"

/**
 * Covers /etc/resolv.conf by a mount of a file that the template has: the first write to a guest's disk takes 20 to 40 ms without KVM, a mount
 * less than one.
 */
const coverResolver = bindOver("resolv.conf", resolverPath)

/**
 * Steps of a template's guest: it has the environment mounted with a copy of its /run, nothing of the workspace disk, and a network that can be turned on by rules
 * alone.
 */
export const templateSteps = [
  Calls.mount({ source: "/dev/vda", target: lowerDirectory, fstype: "erofs", flags: mountFlags.readOnly, data: "" }),
  // Servers expect the directories of their image, such as /run/mysqld.
  Calls.runtimeFiles({ from: `${lowerDirectory}/run`, to: "/run" }),
  Calls.network({ mode: NetworkMode.prepare }),
  Calls.mkdir({ path: ownFiles, mode: 0o755 }),
  Calls.writeSmall({ path: `${ownFiles}/resolv.conf`, mode: 0o644, content: Buffer.from(resolverContent) })
]

/**
 * Makes a restored guest unique and gives it its disk. The files with its identity are on tmpfs and bound over those of the root: they
 * belong to the generation, not to the disk.
 */
const claimSteps = (
  device: WorkspaceDevice,
  identity: GuestIdentity,
  { grows = false, isEmpty = false, isMounted = false }: ClaimedDisk
): Steps => [
  ...freshness(),
  Calls.hostname({ name: identity.hostname }),
  ...(isMounted
    ? []
    : mountRoot([...(isEmpty ? mountEmpty(device) : mountWritten(device)), ...(grows ? [growDisk(device)] : [])])),
  ...writeIdentity(identity),
  Calls.mount({ source: "/run", target: `${newRoot}/run`, fstype: "", flags: mountFlags.move, data: "" }),
  Calls.switchRoot({ path: newRoot }),
  ...coverIdentity
]

/**
 * Mounts the folder of the inspected disk where a running guest has it, so that file operations stay beneath it by the same rules. The
 * caller has checked that it is a folder. Nothing runs in an inspector that could replace it by a link.
 */
const inspectedWorkspace: Call<unknown> = Calls.mount({
  source: `${inspectedDisk}/workspace`,
  target: "/workspace",
  fstype: "",
  flags: mountFlags.bind,
  data: ""
})

/** Mount point of the inspected disk's root in an inspector. */
const inspectedRootDirectory = "/inspected"

/**
 * Environment and changes are lower layers, so the overlay needs no `work` directory of the disk and writes nothing. The folder for
 * /workspace is the mounted one.
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

/** A directory of each environment of Debian, which its packages leave empty. */
const toolsDirectory = "/mnt"

const inspectedTools = [
  Calls.mount({
    source: inspectedDisk,
    target: `${lowerDirectory}${toolsDirectory}`,
    fstype: "",
    flags: mountFlags.bind,
    data: ""
  }),
  Calls.switchRoot({ path: lowerDirectory })
]

/**
 * Directories of the disk that belong to a run of the workspace. Secrets are in the guest's memory only; a directory with secrets would be
 * listed here.
 */
const leftoverDirectories = ["upper/tmp", "upper/run", "work"]

/** Blocks of removed files are free only after the commit of the last sync. */
const scrubInspected = (device: WorkspaceDevice): Steps => [
  ...leftoverDirectories.map((directory) => Calls.clear({ path: `${inspectedDisk}/${directory}` })),
  Calls.sync({ dropCaches: 0 }),
  mountDevice(device, mountFlags.remount | mountFlags.readOnly, ""),
  Calls.sync({ dropCaches: 0 })
]

/** Gives a restored guest a disk to inspect. Nothing of the disk runs, so its root is not mounted. */
const inspectionSteps = (
  device: WorkspaceDevice,
  { hostname }: GuestIdentity,
  { isMounted = false }: ClaimedDisk
): Steps => [
  ...freshness(),
  Calls.hostname({ name: hostname }),
  ...(isMounted ? [] : mountWritten(device))
]

/** Every command's cgroup is below this one (guest-agent/src/cgroup.c); the agent's is not. */
const freezer = "/sys/fs/cgroup/pyro/cgroup.freeze"

const setFreezer = (value: "0" | "1") => Calls.writeSmall({ path: freezer, mode: 0o644, content: Buffer.from(value) })

/** After its answer no program of the guest runs until `startPrograms`. */
export const stopPrograms = setFreezer("1")
export const startPrograms = setFreezer("0")

/**
 * Makes a guest that continues from a capture unique, while its programs are stopped. The files with its identity are bound over the root's
 * files already, and are written in place, so that an open file changes too. `hosts` is its /etc/hosts, if readable.
 */
const renewalSteps = (identity: GuestIdentity, hosts: string | undefined): Steps => [
  ...freshness(),
  ...renameSteps(identity.hostname, hosts),
  writeFile("/etc/machine-id", `${identity.machineId}\n`, 0o444),
  writeFile("/proc/sys/kernel/random/boot_id", `${identity.bootId}\n`, 0o444),
  Calls.mkdir({ path: ownFiles, mode: 0o755 }),
  writeGeneration(identity)
]

const writeFile = (file: string, content: string, mode: number) =>
  Calls.writeSmall({ path: file, mode, content: Buffer.from(content) })

/** Renames a guest in its kernel and its files. `hosts` is its /etc/hosts, if readable. */
const renameSteps = (hostname: string, hosts: string | undefined): Steps => [
  Calls.hostname({ name: hostname }),
  ...renameFiles(hostname, hosts)
]

/** Rewrites the files with the guest's name. */
export const renameFiles = (hostname: string, hosts: string | undefined): Steps => [
  writeFile("/etc/hostname", `${hostname}\n`, 0o644),
  ...(hosts === undefined ? [] : [writeFile("/etc/hosts", renamedHosts(hosts, hostname), 0o644)])
]

/** Replaces the guest's own line; lines of others stay. */
const renamedHosts = (text: string, hostname: string) =>
  text.replace(/^127\.0\.1\.1[ \t]+\S+[ \t]*$/m, `127.0.1.1 ${hostname}`)

const warmUpSteps = (device: WorkspaceDevice, { isMounted }: ClaimedDisk): Steps => {
  const nobody = newGuestIdentity("pool")
  return [
    ...freshness(),
    Calls.hostname({ name: nobody.hostname }),
    ...(isMounted === true ? [] : mountRoot(mountEmpty(device))),
    ...writeIdentity(nobody),
    Calls.visitRoot({ path: newRoot }),
    ...coverIdentity
  ]
}

const undoWarmUp = (device: WorkspaceDevice, { isMounted }: ClaimedDisk): Steps => [
  ...[...covered].reverse().map(([, target]) => Calls.umount({ target, flags: 0 })),
  Calls.visitRoot({ path: "" }),
  ...(isMounted === true ? [] : unmountRoot(device))
]

/** Steps of a guest with its own kernel. */
export const machineSteps = (device: WorkspaceDevice): GuestSteps => ({
  mountEmpty: mountRoot(mountEmpty(device)),
  mountWritten: mountRoot(mountWritten(device)),
  unmount: unmountRoot(device),
  claim: (identity, disk) => claimSteps(device, identity, disk),
  coverResolver: [coverResolver],
  inspection: (identity, disk) => inspectionSteps(device, identity, disk),
  inspectedWorkspace: [inspectedWorkspace],
  scrubInspected: scrubInspected(device),
  inspectedRoot: { directory: inspectedRootDirectory, mounts: inspectedRoot },
  inspectedTools: { directory: toolsDirectory, steps: inspectedTools },
  renewal: renewalSteps,
  continuation: freshness,
  rename: renameSteps,
  startPrograms: [startPrograms],
  diskDevice: device.path,
  diskErrors: `/sys/fs/ext4/${path.basename(device.path)}`,
  warmUp: {
    begin: (disk) => warmUpSteps(device, disk),
    undo: (disk) => undoWarmUp(device, disk),
    uncoverResolver: [Calls.umount({ target: resolverPath, flags: 0 })]
  }
})
