import { Context, Effect, type Scope } from "effect"
import type { DriverUnavailable } from "../../../contract/errors/errors.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { allOrNothing } from "../../../system/waits/effects.ts"
import { isEmptyOver, type Seed } from "../../disk/workspace-disk.ts"
import { type Confinement, demand } from "../model/confinement.ts"
import type {
  AcceleratorChoice,
  CapturedState,
  DriverService,
  GuestImages,
  OnSlowStep,
  ReserveCapturedRequest,
  RestoreRequest,
  VmmError
} from "../model/guest.ts"
import { HostFacts } from "../model/HostFacts.ts"
import type { Frozen, MachineIdentity, MachineSpec } from "../model/machine.ts"
import type { VmPaths } from "../model/record.ts"
import type { SharedMemory, Vm, VmError } from "../model/Vm.ts"
import { admit, guestsStartingAtOnce, makeStartQueue } from "./admission.ts"
import { capturedSpec, startFromTemplate } from "./from-template.ts"
import type { TemplateDisk } from "./identity.ts"
import type { Reservation } from "./reserve.ts"
import { untilResumed } from "./standstill.ts"

/** What a driver has found on this host. */
interface Found {
  readonly confinement: Confinement
}

/** A template to make. */
interface TemplateRequest {
  readonly spec: MachineSpec
  readonly seed: Seed
  readonly firstPrograms: GuestImages["environment"]["firstPrograms"]
  readonly directory: string
  /** Whether its empty workspace disk over `seed` is mounted. */
  readonly isMounted: boolean
}

type ReserveRequest = Pick<ReserveCapturedRequest, "dieWithParent" | "purpose" | "sharedBytes" | "spec">

/** What differs between drivers. `Host`: the programs and features that a driver has found. */
interface DriverParts<Host extends Found, Reserved extends Reservation> extends
  Pick<
    DriverService,
    "prepareMemory" | "shareMemory"
  >
{
  /** Words for a template, in a message: `a template`. */
  readonly template: string
  readonly program: Effect.Effect<string, Effect.Error<DriverService["program"]>, HostFacts>
  readonly find: (
    images: GuestImages,
    placeholder: Seed,
    onSlowStep?: OnSlowStep
  ) => Effect.Effect<Host, VmmError, HostFacts | Paths>
  readonly acceleratorOf: (host: Host) => AcceleratorChoice
  /** Why no VM of this driver can be as requested. */
  readonly refuse?: (request: RestoreRequest) => DriverUnavailable | undefined
  readonly specOf: (request: RestoreRequest, host: Host) => MachineSpec
  readonly templateKey: (spec: MachineSpec, host: Host, disk: TemplateDisk) => string
  readonly identityOf: (spec: MachineSpec, host: Host) => MachineIdentity
  readonly freeze: (host: Host, request: TemplateRequest) => Effect.Effect<Frozen, VmmError, Paths>
  /** Makes a paused VM from a template. */
  readonly acquire: (
    host: Host,
    spec: MachineSpec,
    request: RestoreRequest,
    frozen: Frozen
  ) => Effect.Effect<Vm, VmError, Paths | Scope.Scope>
  readonly reserve: (host: Host, request: ReserveRequest) => Effect.Effect<Reserved, VmError, Paths | Scope.Scope>
  readonly memoryOf: (paths: VmPaths) => string
  readonly fill: (reserved: Reserved, memoryPath: string) => Effect.Effect<void, VmError>
  /** Makes a paused VM from captured state. `shared`: memory in place of its own. */
  readonly startCaptured: (
    reserved: Reserved,
    captured: CapturedState,
    shared: SharedMemory | undefined
  ) => Effect.Effect<Vm, VmError, Scope.Scope>
  readonly canShare: (
    spec: MachineSpec,
    count: number
  ) => Effect.Effect<boolean, never, Effect.Services<ReturnType<typeof admit>> | HostFacts>
  readonly attachVm: (id: Parameters<DriverService["attach"]>[0]) => Effect.Effect<Vm, VmError, Paths | Scope.Scope>
}

/** Empty workspaces and workspaces with files have different templates. */
const makingTemplate = (template: string, isMounted: boolean) =>
  `preparing ${template} of ${
    isMounted ? "empty workspaces" : "workspaces with files"
  } (once for this environment and size)`

/** Makes guests with the parts of a driver. */
export const makeDriverService = <Host extends Found, Reserved extends Reservation>(
  parts: DriverParts<Host, Reserved>
): Effect.Effect<DriverService, never, HostFacts | Paths> =>
  Effect.gen(function*() {
    // Only these two: the context of a Layer under construction also has the Layer's own Scope. It would replace the caller's, and no VM
    // would end before the Layer.
    const context = Context.pick(Paths, HostFacts)(yield* Effect.context<Paths | HostFacts>())
    const queued = yield* makeStartQueue(guestsStartingAtOnce)
    const find: DriverParts<Host, Reserved>["find"] = (images, placeholder, onSlowStep) =>
      parts.find(images, placeholder, onSlowStep).pipe(asStep("hypervisor"))
    const { prepareMemory, shareMemory } = parts
    const provided = <A, E, R>(work: Effect.Effect<A, E, R>) => Effect.provide(work, context)
    return {
      program: provided(parts.program),
      accelerator: (images, placeholder) => provided(Effect.map(find(images, placeholder), parts.acceleratorOf)),
      restore: (request) => provided(restoring(parts, find, queued, request)),
      identity: (spec, images, seed) =>
        provided(Effect.map(find(images, seed), (host) => parts.identityOf(capturedSpec(spec, images), host))),
      reserve: (request) => provided(reserving(parts, find, queued, request)),
      canShare: (spec, count) => provided(parts.canShare(spec, count)),
      shareMemory,
      prepareMemory,
      admit: (reserved) => provided(admit(reserved.map(({ record }) => record))),
      attach: (id, options) => provided(attaching(parts.attachVm(id), options))
    }
  })

type Queue = Effect.Success<ReturnType<typeof makeStartQueue>>

const restoring = <Host extends Found, Reserved extends Reservation>(
  parts: DriverParts<Host, Reserved>,
  find: DriverParts<Host, Reserved>["find"],
  queued: Queue,
  request: RestoreRequest
) =>
  Effect.gen(function*() {
    const refused = parts.refuse?.(request)
    if (refused !== undefined) return yield* refused
    const { images, leastConfinement, onSlowStep, placeholder } = request
    const host = yield* find(images, placeholder, onSlowStep)
    yield* demand(host.confinement, leastConfinement)
    const spec = parts.specOf(request, host)
    const isMounted = request.leaveUnmounted !== true && isEmptyOver(request, placeholder)
    const started = yield* startFromTemplate({
      key: parts.templateKey(spec, host, {
        virtualBytes: placeholder.virtualBytes,
        ...(isMounted && { mounted: placeholder.digest })
      }),
      images,
      freeze: (directory) => {
        const { firstPrograms } = images.environment
        return parts.freeze(host, { spec, seed: placeholder, firstPrograms, directory, isMounted })
      },
      start: (frozen) => parts.acquire(host, spec, request, frozen),
      queued,
      slowStep: makingTemplate(parts.template, isMounted),
      onSlowStep
    })
    return { ...started, isMounted }
  }).pipe(asStep("restore"))

const reserving = <Host extends Found, Reserved extends Reservation>(
  parts: DriverParts<Host, Reserved>,
  find: DriverParts<Host, Reserved>["find"],
  queued: Queue,
  { images, leastConfinement, seed, spec, ...request }: ReserveCapturedRequest
) =>
  Effect.gen(function*() {
    const host = yield* find(images, seed)
    yield* demand(host.confinement, leastConfinement)
    const reserved = yield* parts.reserve(host, { ...request, spec: capturedSpec(spec, images) })
    const { ownership: { paths }, record } = reserved
    let shared: SharedMemory | undefined
    return {
      record,
      memory: { path: parts.memoryOf(paths), uid: record.uid },
      fill: (memoryPath: string) => parts.fill(reserved, memoryPath),
      share: (memory: SharedMemory) => void (shared = memory),
      restore: (captured: CapturedState) =>
        allOrNothing(
          queued(
            Effect.gen(function*() {
              const vm = yield* parts.startCaptured(reserved, captured, shared)
              yield* vm.resume
              return { vm, channel: yield* vm.channel({ takeover: true }).pipe(asStep("hello")) }
            }).pipe(asStep("start"))
          ).pipe(asStep("queue"))
        )
    }
  })

const attaching = <R>(
  attached: Effect.Effect<Vm, VmError, R>,
  { keep, onStill = Effect.void }: Parameters<DriverService["attach"]>[1] = {}
) =>
  allOrNothing(Effect.gen(function*() {
    const vm = yield* attached
    const channel = yield* untilResumed(vm.health, onStill).pipe(
      Effect.andThen(vm.channel({ takeover: true, keep })),
      // The next process that attaches finds the VM as it was.
      Effect.onError(() => Effect.ignoreCause(vm.leave))
    )
    return { vm, channel }
  }))
