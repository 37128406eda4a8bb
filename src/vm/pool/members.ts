import { Effect, type Scope } from "effect"
import type { ChannelFailed } from "../../contract/errors/errors.ts"
import type { SeedImage } from "../../disk/SeedImages.ts"
import { isEmptyOver } from "../../disk/workspace-disk.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"
import { demand } from "../confinement.ts"
import { failedAt } from "../driver/failure.ts"
import { mountSteps } from "../driver/machine-steps.ts"
import type { RestoredGuest, RestoreRequest, VmmError, VmmService } from "../guest.ts"
import { warmUp } from "./warm-up.ts"

/** Guests of one kind can stand in for each other: those that have an empty disk over one seed mounted, and those that have none. */
export const kindOf = ({ images, memoryMib, placeholder, vcpuCount }: RestoreRequest, mounted: SeedImage | undefined) =>
  JSON.stringify([
    images.environment.digest,
    images.kernel.digest,
    vcpuCount,
    memoryMib,
    placeholder.virtualBytes,
    mounted?.digest
  ])

/**
 * A guest that has been through a claim, and stands still. With `mounted`, that seed's disk stays mounted in it; without, it has a
 * placeholder's, for its disks to be switched.
 */
export const makeMember = (
  vmm: VmmService,
  request: RestoreRequest,
  mounted: SeedImage | undefined
): Effect.Effect<RestoredGuest, VmmError | ChannelFailed | AgentCallFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const { images, memoryMib, placeholder, vcpuCount } = request
    const restored = yield* vmm.restore({
      purpose: "pool",
      images,
      vcpuCount,
      memoryMib,
      seed: mounted ?? placeholder,
      placeholder,
      leaveUnmounted: mounted === undefined,
      dieWithParent: false
    })
    const guest = { ...restored, isMounted: mounted !== undefined }
    if (guest.isMounted && !restored.isMounted) yield* guest.channel.chain(mountSteps())
    yield* warmUp(guest)
    yield* guest.vm.pause
    return guest
  })

/** Makes a member the requester's: first the record, so that a crash finds whose it is, then its disks, and it runs. */
export const handOver = ({ isMounted, vm }: RestoredGuest, request: RestoreRequest) =>
  Effect.gen(function*() {
    if (vm.confinement !== undefined) yield* demand({ level: vm.confinement, reason: "" }, request.leastConfinement)
    yield* isMounted
      ? vm.disks.handOver(request.purpose, request.top)
      : vm.disks.switchTo(request, { handOver: request.purpose })
  }).pipe(
    Effect.raceFirst(vm.health.failure),
    Effect.mapError((failure) => failure._tag === "VmFailed" ? failure : failedAt("pool")(failure))
  )

/** Whether the disk asked for begins with nothing. */
export const isEmptyRequest = (request: RestoreRequest) => isEmptyOver(request, request.placeholder)
