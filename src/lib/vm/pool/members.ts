import { Effect, type Scope, Stream } from "effect"
import type { ChannelFailed, VmFailed } from "../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import type { SeedImage } from "../../disk/SeedImages.ts"
import { isEmptyOver } from "../../disk/workspace-disk.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { NetworkMode } from "../../guest-channel/model/calls.ts"
import type { AgentCallFailed } from "../../guest-channel/model/errors.ts"
import { demand } from "../model/confinement.ts"
import { failedAt, vmFailed } from "../model/failure.ts"
import type { GuestSteps } from "../model/guest-steps.ts"
import type { RestoredGuest, RestoreRequest, VmmError, VmmService } from "../model/guest.ts"
import { runEach, warmUpCommand } from "../model/warm-up.ts"

/**
 * The usual first commands: a shell, programs that it starts, a file read, a folder listed. They write to no disk. There are no more,
 * because under TCG each further program costs every workspace some 2 MiB of translated code.
 */
const firstCommands = [
  warmUpCommand("/bin/bash", "-c", "cat /etc/hostname; ls /"),
  warmUpCommand("true"),
  warmUpCommand("true")
]

/** A warm-up takes 0.3 s, and several times as long on a busy host. */
const timeoutMs = 20_000 * deadlineScale

/** Number of disk file systems that the guest's kernel still has, at any mount point. */
const fileSystemsLeft = (channel: GuestChannel) =>
  Stream.runCount(channel.walk({ root: "/proc/fs/ext4", path: "" })).pipe(
    // The kernel makes the folder with the first file system.
    Effect.catchIf(
      (failure) => failure._tag === "AgentCallFailed" && failure.errno === "ENOENT",
      () => Effect.succeed(0)
    )
  )

/** A kernel that cannot steer is reported to the claim that asks for a network. */
const warmNetwork = ({ call }: GuestChannel) =>
  call.network({ mode: NetworkMode.onClaimed }).pipe(
    Effect.andThen(call.network({ mode: NetworkMode.off })),
    Effect.catchTag("AgentCallFailed", () => Effect.void)
  )

/** A mount that stays fails the warm-up: the resolver of a workspace without a network is its disk's. */
const coverOnce = ({ chain }: GuestChannel, { coverResolver, warmUp: { uncoverResolver } }: GuestSteps) =>
  Effect.matchEffect(chain(coverResolver), {
    onFailure: (failure) => failure._tag === "AgentCallFailed" ? Effect.void : Effect.fail(failure),
    onSuccess: () => chain(uncoverResolver)
  })

/**
 * Runs the rest of a claim in a restored guest and undoes it, with placeholder disks if none is mounted. The code of the guest's kernel and
 * agent has then run once, which under TCG is most of a claim's time. Afterwards the placeholder disks are free to be switched, else it
 * fails. A mounted disk stays unchanged.
 */
const warmUpGuest = (guest: RestoredGuest): Effect.Effect<void, VmFailed | ChannelFailed> =>
  Effect.gen(function*() {
    const { channel, isMounted, vm: { steps } } = guest
    yield* runEach(channel, steps.warmUp.begin(guest), firstCommands)
    yield* warmNetwork(channel)
    yield* coverOnce(channel, steps)
    yield* channel.chain(steps.warmUp.undo(guest))
    if (isMounted) return
    yield* channel.chain([...steps.mountWritten, ...steps.unmount])
    yield* demandUnmounted(channel, "warm-up")
  }).pipe(inTime(guest, "warm-up"))

/** The disk may be switched: the guest's kernel has nothing of it. */
const demandUnmounted = (channel: GuestChannel, step: string) =>
  Effect.flatMap(
    fileSystemsLeft(channel),
    (left) => left > 0 ? Effect.fail(vmFailed(step, "a disk of it is still mounted")) : Effect.void
  )

/** Ends work in a guest with the guest, and after a while. */
const inTime =
  ({ vm }: RestoredGuest, step: string) =>
  <R>(work: Effect.Effect<void, WorkFailed, R>): Effect.Effect<void, VmFailed | ChannelFailed, R> =>
    work.pipe(
      Effect.raceFirst(vm.health.failure),
      Effect.timeoutOrElse({
        duration: timeoutMs,
        orElse: () => Effect.fail(vmFailed(step, `the guest was not through within ${timeoutMs} ms`))
      }),
      Effect.mapError((failure) => failure._tag === "ChannelFailed" ? failure : failedAt(step)(failure))
    )

type WorkFailed =
  | VmFailed
  | ChannelFailed
  | AgentCallFailed
  | Effect.Error<ReturnType<GuestChannel["spawn"]>>

/** Guests of one kind are interchangeable: they have an empty disk over the same seed mounted, or no disk. */
export const kindOf = (
  { driver = "qemu", images, memoryMib, placeholder, vcpuCount }: RestoreRequest,
  mounted: SeedImage | undefined
) =>
  JSON.stringify([
    driver,
    images.environment.digest,
    images.kernel.digest,
    vcpuCount,
    memoryMib,
    placeholder.virtualBytes,
    mounted?.digest
  ])

/**
 * A paused guest that has been through a claim. With `mounted`, that seed's disk stays mounted. Without, the guest has placeholder disks,
 * which are switched later.
 */
export const makeMember = (
  vmm: Pick<VmmService, "restore">,
  request: RestoreRequest,
  mounted: SeedImage | undefined
): Effect.Effect<RestoredGuest, MemberFailed, Scope.Scope> =>
  Effect.tap(warmMember(vmm, request, mounted), ({ vm }) => vm.pause)

/**
 * A paused guest that has the written disk of the request mounted, and nothing written over it. No program has run on that disk. No other request may
 * get this guest: its kernel has read data that another guest wrote.
 */
export const makeExpected = (
  vmm: Pick<VmmService, "restore">,
  request: RestoreRequest
): Effect.Effect<RestoredGuest, MemberFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const guest = yield* warmMember(vmm, request, undefined)
    const { channel, vm } = guest
    yield* vm.disks.switchTo({ seed: request.seed, layers: request.layers })
    yield* inTime(guest, "mount")(channel.chain(vm.steps.mountWritten))
    yield* vm.pause
    return { ...guest, isMounted: true }
  })

type MemberFailed = VmmError | ChannelFailed | AgentCallFailed

const warmMember = (vmm: Pick<VmmService, "restore">, request: RestoreRequest, mounted: SeedImage | undefined) =>
  Effect.gen(function*() {
    const { driver, images, memoryMib, placeholder, vcpuCount } = request
    const restored = yield* vmm.restore({
      driver,
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
    if (guest.isMounted && !restored.isMounted) yield* guest.channel.chain(guest.vm.steps.mountEmpty)
    yield* warmUpGuest(guest)
    return guest
  })

/**
 * Hands a member over to the requester: first the record, so that its owner is known after a crash, then the disks, then the guest resumes. A
 * member that has another disk mounted than the requested one resumes before its disks are switched, and unmounts.
 */
export const handOver = (guest: RestoredGuest, request: RestoreRequest, hasItsDisk: boolean) =>
  Effect.gen(function*() {
    const { channel, isMounted, vm } = guest
    if (vm.confinement !== undefined) yield* demand({ level: vm.confinement, reason: "" }, request.leastConfinement)
    if (!isMounted) yield* vm.disks.switchTo(request, { handOver: request.purpose })
    else if (hasItsDisk) yield* vm.disks.handOver(request.purpose, request.top)
    else {
      yield* vm.disks.handOver(request.purpose, undefined)
      yield* Effect.andThen(channel.chain(vm.steps.unmount), demandUnmounted(channel, "pool")).pipe(
        inTime(guest, "pool")
      )
      yield* vm.disks.switchTo(request)
    }
    return { ...guest, isMounted: hasItsDisk } satisfies RestoredGuest
  }).pipe(
    Effect.raceFirst(guest.vm.health.failure),
    Effect.mapError((failure) => failure._tag === "VmFailed" ? failure : failedAt("pool")(failure))
  )

/** Whether the requested disk is empty. */
export const isEmptyRequest = (request: RestoreRequest) => isEmptyOver(request, request.placeholder)
