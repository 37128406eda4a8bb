import { Effect, Ref } from "effect"
import { processUsage } from "../../../../system/processes/identity.ts"
import { asStep } from "../../../../system/telemetry/spans.ts"
import type { Vm, VmPoints } from "../../model/Vm.ts"
import type { Freezable } from "./freeze-memory.ts"
import { isNextWhole, memoryOf } from "./memory.ts"
import { copyEarly, copyStoreTo, storeMark } from "./point-disk.ts"

/** A running VM with the parts that its points need. */
type Pointed = Freezable & Pick<Vm, "memoryBytes" | "process"> & { readonly virtualBytes: number }

/** The points of a VM, and the step that each capture ends with. */
export const makePoints = (
  vm: Pointed
): { readonly points: VmPoints; readonly captured: Effect.Effect<void> } => {
  const { ownership: { paths }, virtualBytes } = vm
  const privateBytes = () => processUsage(vm.process.pid)?.privateBytes ?? 0
  // For an adopted VM, the pages of earlier captures count once more.
  let before = 0
  return {
    captured: Effect.sync(() => void (before = privateBytes())),
    points: {
      diskMark: storeMark(paths),
      pendingBytes: Effect.flatMap(Ref.get(vm.isTracked), (isTracked) =>
        Effect.flatMap(
          Effect.orElseSucceed(Effect.try(() => isNextWhole(memoryOf(paths))), () => true),
          (isWhole) => isTracked && !isWhole ? Effect.sync(() => Math.max(0, privateBytes() - before)) : vm.memoryBytes
        )),
      copyEarly: (copy) => copyEarly(vm, virtualBytes, copy).pipe(asStep("early disk copy")),
      copyDisk: (copy) =>
        Effect.acquireUseRelease(
          vm.pause,
          () => copyStoreTo(paths, virtualBytes, copy),
          () => Effect.ignoreCause(vm.resume)
        )
    }
  }
}
