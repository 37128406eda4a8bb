import { Context, Layer } from "effect"
import type { LocalAgentOptions } from "./driver/local-agent/options.ts"
import { makeLocalAgentVmm } from "./driver/local-agent/vmm.ts"
import { makeQemuVmm } from "./driver/qemu/vmm.ts"
import type { VmmService } from "./VmmService.ts"

/** Makes guests. */
export class Vmm extends Context.Tag("pyro/vm/Vmm")<Vmm, VmmService>() {
  /** QEMU's microvm machine. */
  static readonly layerQemu = Layer.scoped(Vmm, makeQemuVmm)
  /** The guest agent as a process of the host, for tests: it isolates nothing. */
  static readonly layerLocalAgent = (options: LocalAgentOptions) => Layer.scoped(Vmm, makeLocalAgentVmm(options))
}
