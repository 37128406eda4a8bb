import type { MachineIdentity, MachineSpec } from "../../../src/lib/vm/model/machine.ts"
import { fileIdentity } from "../../../src/system/files/host-path.ts"
import type { LocalAgentOptions } from "./options.ts"

/** Name of what executes the programs of a local agent: the host's own processor. */
export const hostProcessor = "host"

/** What a captured VM goes on with: the same agent. */
export const identityOf = (spec: MachineSpec, { program }: LocalAgentOptions): MachineIdentity => ({
  accelerator: spec.accelerator,
  vmm: fileIdentity(program),
  cpu: hostProcessor,
  tscKhz: spec.tscKhz,
  kernel: spec.kernel.digest,
  environment: spec.environment.digest,
  machine: "local agent"
})
