import { findProgram } from "../../../system/processes/host.ts"
import { type ConfinementLevel, system, unshare } from "../../confinement.ts"
import { KVM, type KvmDevice } from "./kvm-device.ts"
import { names } from "./machine.ts"

/** Files that one QEMU may see, by host path. */
export interface VisibleFiles {
  readonly run: string
  readonly images: string
  readonly memory: string
  readonly environment: string
  readonly vmlinux: string
  readonly initrd: string
}

/** Looked for once here, and not again in every folder of PATH inside the namespaces. */
const programPath = (name: string) => findProgram(name) ?? name

export interface ConfinedCommand {
  readonly program: string
  readonly args: ReadonlyArray<string>
  /** Which of its descriptors tells the pid of the process whose death ends the VM; undefined: it is the child itself. */
  readonly infoDescriptor: number | undefined
}

/**
 * The command that runs QEMU locked up. With `dieWithParent` the kernel ends the VM when the calling process dies, however it does.
 * `infoDescriptor` is the number at which the caller puts a pipe for bubblewrap's report.
 */
export const confine = (
  level: ConfinementLevel,
  request: {
    readonly qemu: string
    readonly qemuArgs: ReadonlyArray<string>
    readonly files: VisibleFiles
    readonly uid: number
    /** Device of KVM that the VM may use. Undefined: none. */
    readonly kvm: KvmDevice | undefined
    readonly dieWithParent: boolean
    readonly infoDescriptor: number
    /** QEMU keeps the network namespace that the command starts in. Default: it gets an empty one. */
    readonly keepsNetwork?: boolean
  }
): ConfinedCommand => {
  if (level === "seccomp") {
    return request.dieWithParent
      ? {
        program: programPath("setpriv"),
        args: ["--pdeathsig", "KILL", "--no-new-privs", request.qemu, ...request.qemuArgs],
        infoDescriptor: undefined
      }
      : { program: request.qemu, args: request.qemuArgs, infoDescriptor: undefined }
  }
  const { files } = request
  const room = "/vm"
  const own = [
    // A folder that bubblewrap makes on the way to a mount point is for root alone.
    ...["--perms", "0755", "--dir", room],
    ...["--bind", files.run, `${room}/${names.run}`, "--ro-bind", files.images, `${room}/${names.images}`],
    ...["--bind", files.memory, `${room}/${names.memory}`],
    ...["--ro-bind", files.environment, `${room}/${names.environment}`],
    ...["--ro-bind", files.vmlinux, `${room}/${names.vmlinux}`, "--ro-bind", files.initrd, `${room}/${names.initrd}`],
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
      ...(request.keepsNetwork === true ? unshare.filter((option) => option !== "--unshare-net") : unshare),
      ...(request.dieWithParent ? ["--die-with-parent"] : []),
      ...["--info-fd", String(request.infoDescriptor)],
      ...system,
      ...own,
      ...kvm,
      "--",
      ...drop,
      request.qemu,
      ...request.qemuArgs
    ],
    infoDescriptor: request.infoDescriptor
  }
}
