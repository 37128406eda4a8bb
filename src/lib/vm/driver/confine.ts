import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import type { HostToolMissing, VmFailed } from "../../../contract/errors/errors.ts"
import { runTool } from "../../../system/processes/child.ts"
import { findProgram } from "../../../system/processes/host.ts"
import { type ConfinementLevel, ownProc, system, unshare } from "../model/confinement.ts"
import { vmFailed } from "../model/failure.ts"

/** Device of KVM, as the namespace of a VM gets it. */
export interface KvmDevice {
  /** Path on the host. */
  readonly path: string
  /** Group by which the VM's user may open the device. Undefined: the user needs none. */
  readonly group: number | undefined
}

/** Path of KVM's device on the host, and in each namespace. */
export const KVM = "/dev/kvm"

type Access = Pick<fs.Stats, "mode" | "gid">

const mayOthers = ({ mode }: Access) => (mode & 0o006) === 0o006

/** A user without rights may be in the device's group, but never in root's. */
const mayGroup = ({ gid, mode }: Access) => (mode & 0o060) === 0o060 && gid !== 0

/** Permissions and owner of the device, which may change while the host runs. */
export const kvmPermissions = (): string => {
  const { gid, mode, uid } = fs.statSync(KVM)
  return `${(mode & 0o777).toString(8)}:${uid}:${gid}`
}

const shown = ({ gid, mode, uid }: Access & Pick<fs.Stats, "uid">) =>
  `0${(mode & 0o777).toString(8)}, owner ${uid}:${gid}`

/** Start of the error text if the VM's user, other than pyro's, may not open KVM. */
export const MAY_NOT_OPEN = "the user of the microVM may not open"

const numberOf = (rdev: number) => ({
  major: ((rdev >>> 8) & 0xfff).toString(),
  minor: ((rdev & 0xff) | ((rdev >>> 12) & 0xfff00)).toString()
})

/**
 * The device for a VM's user. Without udev, only root may open the device of a container or a small server (0600). The VM then gets its own
 * node in `folder`, which only its user may open. The user gains no right elsewhere: only pyro can make the node.
 */
export const kvmDeviceFor = (
  uid: number,
  folder: string,
  device = KVM
): Effect.Effect<KvmDevice, VmFailed | HostToolMissing> =>
  Effect.gen(function*() {
    const stat = fs.statSync(device)
    if (mayOthers(stat)) return { path: device, group: undefined }
    if (mayGroup(stat)) return { path: device, group: stat.gid }
    const node = path.join(folder, "kvm")
    const { major, minor } = numberOf(stat.rdev)
    const refused = (why: string) =>
      vmFailed(
        "kvm",
        `${MAY_NOT_OPEN} ${device} (${shown(stat)}), and pyro cannot make a device of its own for it: ${why}`
      )
    fs.rmSync(node, { force: true })
    yield* runTool("mknod", ["-m", "0600", node, "c", major, minor]).pipe(
      Effect.catchTag("ToolFailed", ({ message }) => refused(message))
    )
    yield* Effect.try({
      try: () => {
        fs.chownSync(node, uid, uid)
        // A file system without devices refuses this, and so does a container without the right to use the device, also to root.
        fs.closeSync(fs.openSync(node, "r+"))
      },
      catch: (cause) => refused((cause as Error).message)
    })
    return { path: node, group: undefined }
  })

/** A file or folder that one VMM may see. */
export interface VisibleFile {
  /** Its name in the VMM's working directory, or an absolute path. */
  readonly name: string
  /** Its path on the host. */
  readonly path: string
  readonly access: "read" | "write"
}

/** Found once here, so that no folder of PATH is searched inside the namespaces. */
const programPath = (name: string) => findProgram(name) ?? name

export interface ConfinedCommand {
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Descriptor that reports the pid of the process whose death ends the VM. Undefined: the child itself. */
  readonly infoDescriptor: number | undefined
}

/**
 * The command that runs a confined VMM. With `dieWithParent` the kernel ends the VM at any death of the calling process. `infoDescriptor`
 * is the number of the caller's pipe for bubblewrap's report.
 */
export const confine = (
  level: ConfinementLevel,
  request: {
    readonly command: readonly [program: string, ...args: ReadonlyArray<string>]
    readonly files: ReadonlyArray<VisibleFile>
    readonly uid: number
    /** Device of KVM that the VM may use. Undefined: none. */
    readonly kvm: KvmDevice | undefined
    readonly dieWithParent: boolean
    readonly infoDescriptor: number
    /** The VMM finds its own descriptors under /proc/self/fd. Default: it has no /proc. */
    readonly hasProc?: boolean
  }
): ConfinedCommand => {
  const [program, ...args] = request.command
  if (level === "seccomp") {
    return request.dieWithParent
      ? {
        program: programPath("setpriv"),
        args: ["--pdeathsig", "KILL", "--no-new-privs", ...request.command],
        infoDescriptor: undefined
      }
      : { program, args, infoDescriptor: undefined }
  }
  const room = "/vm"
  const own = [
    // Bubblewrap makes parent folders of a mount point for root only.
    ...["--perms", "0755", "--dir", room],
    ...request.files.flatMap(({ access, name, path }) => [
      access === "write" ? "--bind" : "--ro-bind",
      path,
      name.startsWith("/") ? name : `${room}/${name}`
    ]),
    ...["--chdir", room]
  ]
  const kvm = request.kvm === undefined ? [] : ["--dev-bind", request.kvm.path, KVM]
  const drop = level === "namespaces+uid"
    ? [
      programPath("setpriv"),
      `--reuid=${request.uid}`,
      `--regid=${request.uid}`,
      ...(request.kvm?.group === undefined ? ["--clear-groups"] : [`--groups=${request.kvm.group}`]),
      "--bounding-set=-all",
      "--inh-caps=-all",
      ...(request.dieWithParent ? ["--pdeathsig", "KILL"] : [])
    ]
    : []
  return {
    program: programPath("bwrap"),
    args: [
      ...(level === "namespaces" ? ["--unshare-user"] : []),
      ...unshare,
      // A VMM cannot send signals to bubblewrap. `startVmm` kills also what a kill of bubblewrap's process group misses.
      "--new-session",
      ...(request.dieWithParent ? ["--die-with-parent"] : []),
      ...["--info-fd", String(request.infoDescriptor)],
      ...system,
      ...(request.hasProc === true ? ownProc : []),
      ...own,
      ...kvm,
      "--",
      ...drop,
      ...request.command
    ],
    infoDescriptor: request.infoDescriptor
  }
}
