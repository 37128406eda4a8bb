import { Calls } from "../../../src/lib/guest-channel/model/calls.ts"
import { renameFiles } from "../../../src/lib/vm/driver/machine-steps.ts"
import { type GuestIdentity, type GuestSteps, resolverContent } from "../../../src/lib/vm/model/guest-steps.ts"

const write = (path: string, content: string, mode: number) =>
  Calls.writeSmall({ path, mode, content: Buffer.from(content) })

/** Files by which programs learn who the guest is. */
const identityFiles = ({ generation, hostname, machineId }: GuestIdentity) => [
  write("/etc/hostname", `${hostname}\n`, 0o644),
  write("/etc/hosts", `127.0.0.1 localhost\n127.0.1.1 ${hostname}\n::1 localhost\n`, 0o644),
  write("/etc/machine-id", `${machineId}\n`, 0o444),
  Calls.mkdir({ path: "/run/pyro", mode: 0o755 }),
  write("/run/pyro/generation", `${generation}\n`, 0o444)
]

/**
 * Steps of an agent that shares the host's kernel: random numbers, clock, host name and boot id are the host's. The disk is in its place
 * from the start of the agent on, and no capture has programs that are to be started again.
 */
export const localSteps: GuestSteps = {
  mountEmpty: [],
  mountWritten: [],
  unmount: [],
  claim: identityFiles,
  coverResolver: [write("/etc/resolv.conf", resolverContent, 0o644)],
  inspection: () => [],
  inspectedWorkspace: [],
  scrubInspected: [],
  inspectedRoot: { directory: "/", mounts: [] },
  inspectedTools: { directory: "/", steps: [] },
  renewal: identityFiles,
  continuation: () => [],
  rename: renameFiles,
  startPrograms: [],
  diskDevice: "/dev/none",
  diskErrors: "/sys/fs/ext4/none",
  warmUp: { begin: () => [], undo: () => [], uncoverResolver: [] }
}
