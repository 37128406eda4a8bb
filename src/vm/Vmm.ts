import { Context, Layer } from "effect"
import { makeQemuVmm } from "./driver/qemu/vmm.ts"
import type { VmmService } from "./guest.ts"

/** Makes guests. */
export class Vmm extends Context.Service<Vmm, VmmService>()("pyro/vm/Vmm") {
  /** QEMU's microvm machine. */
  static readonly layerQemu = Layer.effect(Vmm, makeQemuVmm)
}
