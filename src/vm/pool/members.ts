import { Effect, type Scope, Stream } from "effect"
import { type ChannelFailed, VmFailed } from "../../contract/errors/errors.ts"
import type { SeedImage } from "../../disk/SeedImages.ts"
import { isEmptyOver } from "../../disk/workspace-disk.ts"
import { NetworkMode } from "../../guest-channel/calls.ts"
import type { AgentCallFailed } from "../../guest-channel/errors.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { SpawnRequest } from "../../guest-channel/process.ts"
import { deadlineScale } from "../../system/settings/deadline-scale.ts"
import { demand } from "../confinement.ts"
import { failedAt } from "../driver/failure.ts"
import { mountSteps, undoWarmUp, warmResolver, warmUpSteps } from "../driver/machine-steps.ts"
import type { RestoredGuest, RestoreRequest, VmmError, VmmService } from "../guest.ts"

const command = (...argv: SpawnRequest["argv"]): SpawnRequest => ({
  argv,
  env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "SHELL=/bin/bash",
    "TERM=dumb"
  ],
  cwd: "/workspace",
  // As every command of a workspace has: the first limit that is set in a guest takes it a while.
  pidsMax: 1024
})

/**
 * What most first commands do: a shell, programs from it, a file read, a folder listed. Nothing of it writes to a disk, and no more of it
 * than that: under TCG every workspace keeps the translation of all code that ran here, some 2 MiB for each further program.
 */
const first = command("/bin/bash", "-c", "cat /etc/hostname; ls /")
const others = [command("true"), command("true")]

/** A warm-up takes 0.3 s, and several times as long on a busy host. */
const timeoutMs = 20_000 * deadlineScale

const toItsEnd = (process: Effect.Success<ReturnType<GuestChannel["spawn"]>>) =>
  Effect.andThen(Stream.runDrain(process.output), process.exit)

/** File systems of the disks that the guest's kernel still has, wherever they are mounted. */
const fileSystemsLeft = (channel: GuestChannel) =>
  Stream.runCount(channel.walk({ root: "/proc/fs/ext4", path: "" })).pipe(
    // The folder itself comes with the first file system.
    Effect.catchIf(
      (failure) => failure._tag === "AgentCallFailed" && failure.errno === "ENOENT",
      () => Effect.succeed(0)
    )
  )

/** A kernel that cannot steer is reported to the claim that asks for a network. */
const warmNetwork = ({ call }: GuestChannel) =>
  call.network({ mode: NetworkMode.on }).pipe(
    Effect.andThen(call.network({ mode: NetworkMode.off })),
    Effect.catchTag("AgentCallFailed", () => Effect.void)
  )

/** A mount that stays fails the warm-up: the resolver of a workspace without a network is its disk's. */
const coverOnce = ({ chain }: GuestChannel) =>
  Effect.matchEffect(chain([warmResolver.cover]), {
    onFailure: (failure) => failure._tag === "AgentCallFailed" ? Effect.void : Effect.fail(failure),
    onSuccess: () => chain([warmResolver.uncover])
  })

/**
 * Takes a restored guest through what is left of its claim and back, with placeholder disks where it has none mounted: its kernel's and
 * its agent's code has then run once, which under TCG is most of the time that a claim takes. Those disks are free to be switched
 * afterwards, or it fails; one that is mounted is as it was.
 */
const warmUp = (guest: RestoredGuest): Effect.Effect<void, VmFailed | ChannelFailed> =>
  Effect.gen(function*() {
    const { channel, isMounted } = guest
    yield* Effect.scoped(Effect.flatMap(channel.spawnAfter(warmUpSteps(guest), first), toItsEnd))
    for (const request of others) yield* Effect.scoped(Effect.flatMap(channel.spawn(request), toItsEnd))
    yield* warmNetwork(channel)
    yield* coverOnce(channel)
    yield* channel.chain(undoWarmUp(guest))
    const left = isMounted ? 0 : yield* fileSystemsLeft(channel)
    if (left > 0) {
      return yield* new VmFailed({ step: "warm-up", detail: "a disk of it is still mounted", consoleTail: "" })
    }
  }).pipe(
    Effect.mapError((failure: WarmUpFailed) =>
      failure._tag === "ChannelFailed" ? failure : failedAt("warm-up")(failure)
    ),
    Effect.raceFirst(guest.vm.health.failure),
    Effect.timeoutOrElse({
      duration: timeoutMs,
      orElse: () =>
        Effect.fail(
          new VmFailed({ step: "warm-up", detail: `the guest was not through within ${timeoutMs} ms`, consoleTail: "" })
        )
    }),
    Effect.mapError((failure) => failure._tag === "ChannelFailed" ? failure : failedAt("warm-up")(failure))
  )

type WarmUpFailed =
  | VmFailed
  | ChannelFailed
  | AgentCallFailed
  | Effect.Error<ReturnType<GuestChannel["spawn"]>>

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
