import { Effect } from "effect"
import { asStep } from "../../../system/telemetry/spans.ts"
import { allOrNothing } from "../../../system/waits/effects.ts"
import type { GuestImages, OnSlowStep } from "../model/guest.ts"
import type { Frozen, MachineSpec } from "../model/machine.ts"
import { discardTemplate, ensureTemplate } from "../model/templates.ts"
import type { Vm } from "../model/Vm.ts"
import type { makeStartQueue } from "./admission.ts"

/** How a driver makes a template and starts VMs from it. */
interface TemplateUse<E1, R1, E2, R2> {
  readonly key: string
  readonly images: GuestImages
  /** Writes the template into a folder. */
  readonly freeze: (directory: string) => Effect.Effect<Frozen, E1, R1>
  /** Makes a paused VM. */
  readonly start: (frozen: Frozen) => Effect.Effect<Vm, E2, R2>
  readonly queued: Effect.Success<ReturnType<typeof makeStartQueue>>
  /** Says, for people, that the template is being made. */
  readonly slowStep: string
  readonly onSlowStep: OnSlowStep | undefined
}

/** Starts a VM from its template, and makes a missing template first. A template that fails to start is made once more. */
export const startFromTemplate = <E1, R1, E2, R2>(
  { freeze, images, key, onSlowStep, queued, slowStep, start }: TemplateUse<E1, R1, E2, R2>
) => {
  // Reported once, also if a template fails to start and is made again.
  let isReported = false
  const reportOnce = Effect.suspend(() => {
    if (isReported) return Effect.void
    isReported = true
    return onSlowStep?.(slowStep) ?? Effect.void
  })
  const once = Effect.gen(function*() {
    const frozen = yield* ensureTemplate(
      key,
      images.environment.digest,
      (directory) => freeze(directory).pipe(asStep("make template")),
      reportOnce
    ).pipe(asStep("template"))
    const started = Effect.gen(function*() {
      const vm = yield* start(frozen)
      yield* vm.resume
      return { vm, channel: yield* vm.channel().pipe(asStep("hello")) }
    })
    return yield* queued(started.pipe(asStep("start"))).pipe(asStep("queue"))
  })
  return allOrNothing(once).pipe(
    Effect.catchIf(
      (failure) => {
        const { _tag, step } = failure as { readonly _tag?: unknown; readonly step?: unknown }
        return _tag === "VmFailed" && (step === "hello" || step === "restore")
      },
      () => Effect.andThen(discardTemplate(key), allOrNothing(once))
    )
  )
}

/** The machine of a captured VM, with the present paths of its images. */
export const capturedSpec = (spec: MachineSpec, { environment, kernel }: GuestImages): MachineSpec => ({
  ...spec,
  environment: { digest: environment.digest, imagePath: environment.imagePath },
  kernel
})
