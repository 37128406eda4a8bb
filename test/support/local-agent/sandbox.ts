import * as path from "node:path"
import { system, unshare } from "../../../src/lib/vm/model/confinement.ts"
import { inspectedDisk } from "../../../src/lib/vm/model/guest-steps.ts"
import { processName, type VmId, type VmPaths } from "../../../src/lib/vm/model/record.ts"
import { findProgram, isRoot } from "../../../src/system/processes/host.ts"
import type { LocalAgentOptions } from "./options.ts"

/** Directories of the host that one agent sees, by host path. */
export interface VisibleDirectories {
  /** Directory of the workspace disk. */
  readonly disk: string
  /** Directory of the seed, which the agent reads as the baseline. */
  readonly seed: string
}

/** Names in the VM's folder. */
export const parts = (paths: VmPaths) => ({
  /** What a VM has in its memory alone: it ends with the VM. */
  volatile: path.join(paths.directory, "volatile"),
  /** What the agent printed. */
  console: path.join(paths.directory, "console"),
  socket: path.join(paths.run, socketName)
})

const socketName = "agent.sock"

/** Directory of the guest in which the agent makes its socket. */
const channelDirectory = "/channel"

/** Directories of `volatile`, with the place that the guest has each at and its mode. */
export const volatileDirectories = [
  { name: "etc", target: "/etc", mode: 0o755 },
  { name: "run", target: "/run", mode: 0o755 },
  { name: "shm", target: "/dev/shm", mode: 0o1777 },
  { name: "tmp", target: "/tmp", mode: 0o1777 }
] as const

/** The sandbox lets root of the guest change owners, as the guest's own kernel would. */
const asGuestRoot = () => isRoot() ? ["--cap-add", "ALL"] : ["--unshare-user", "--uid", "0", "--gid", "0"]

const reportsOf = (directory: string | undefined) =>
  directory === undefined ? [] : [
    ...["--bind", directory, directory],
    ...["--setenv", "ASAN_OPTIONS", `log_path=${path.join(directory, "report")}`],
    ...["--setenv", "UBSAN_OPTIONS", `print_stacktrace=1:log_path=${path.join(directory, "report")}`]
  ]

/**
 * The agent steers connections in a network namespace other than its parent's, bubblewrap's. The kernel lets only root steer: the guest of an
 * ordinary user has no network.
 */
const agent = ["/agent", "--listen", path.join(channelDirectory, socketName)]
const agentCommand = () => isRoot() ? ["unshare", "--net", ...agent, "--network"] : agent

/**
 * Command that runs an agent in namespaces of its own, with directories in place of disks. The process that bubblewrap reports on
 * `infoDescriptor` is the first one of the pid namespace: its end is the end of every process of the VM.
 */
export const sandboxed = (request: {
  readonly id: VmId
  readonly paths: VmPaths
  readonly directories: VisibleDirectories
  readonly options: LocalAgentOptions
  readonly dieWithParent: boolean
  readonly infoDescriptor: number
}): { readonly program: string; readonly args: ReadonlyArray<string> } => {
  const { directories: { disk, seed }, id, options, paths } = request
  const { volatile } = parts(paths)
  return {
    program: findProgram("bwrap") ?? "bwrap",
    args: [
      ...asGuestRoot(),
      ...unshare,
      ...(request.dieWithParent ? ["--die-with-parent"] : []),
      ...["--info-fd", String(request.infoDescriptor)],
      // By this argument a sweep finds the processes of the VM.
      ...["--clearenv", "--setenv", "PYRO_VM", processName(id)],
      ...system,
      ...["--symlink", "usr/sbin", "/sbin", "--proc", "/proc", "--dev", "/dev", "--dir", "/root"],
      ...volatileDirectories.flatMap(({ name, target }) => ["--bind", path.join(volatile, name), target]),
      ...["--ro-bind-try", "/etc/alternatives", "/etc/alternatives"],
      ...["--bind", disk, inspectedDisk, "--bind", path.join(disk, "workspace"), "/workspace"],
      ...["--ro-bind", seed, "/dev/vdc"],
      ...["--bind", paths.run, channelDirectory, "--ro-bind", options.program, "/agent"],
      ...reportsOf(options.reports),
      ...["--chdir", "/", "--", ...agentCommand()]
    ]
  }
}
