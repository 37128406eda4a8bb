import { Context, Layer } from "effect"
import { makeQemuVmm } from "./driver/qemu/vmm.ts"
import type { VmmService } from "./guest.ts"

/** Makes guests. */
export class Vmm extends Context.Tag("pyro/vm/Vmm")<Vmm, VmmService>() {
  /** QEMU's microvm machine. */
  static readonly layerQemu = Layer.scoped(Vmm, makeQemuVmm)
}
