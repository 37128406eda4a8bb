import { Deferred, Effect, Fiber, Option, Scope } from "effect"
import { call } from "../../../contract/errors/next-step.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import { shownRepository } from "../../../contract/text/public-url.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { ResultDisk } from "../../../lib/disk/result-disk.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { linkSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { Environments } from "../../../lib/environment/Environments.ts"
import { Kernel } from "../../../lib/environment/Kernel.ts"
import { catalogue, type OciOrigin } from "../../../lib/environment/model/catalogue.ts"
import { packedAt, shownSource } from "../../../lib/seeding/model/packed.ts"
import { writePushed } from "../../../lib/seeding/model/pushed.ts"
import { prepareSeed } from "../../../lib/seeding/prepare.ts"
import type { HostFacts } from "../../../lib/vm/model/HostFacts.ts"
import { type DemandRoom, roomFor } from "../../../lib/vm/room.ts"
import { realPath } from "../../../system/files/host-path.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import { whileSlow } from "../../../system/waits/slow.ts"
import type { Lifecycle, Notify } from "../../entry/context.ts"
import { type Entry, nameNow } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { type WorkspaceFolder, type WorkspaceRecord, writeWorkspace } from "../../entry/record.ts"
import { writeFirstItems } from "../../residents/header-secret/header-secrets.ts"
import { openResidents, type ResidentServices } from "../../residents/open/open.ts"
import { type Granted, recordedGrant } from "../../residents/policy/policy.ts"
import { defaultsOf } from "../../residents/program/command-defaults.ts"
import { writeSecrets } from "../../residents/secret/secret-file.ts"
import { initialSecrets } from "../../residents/secret/workspace-secrets.ts"
import { loanSourceOf } from "../../residents/ssh/loan-source.ts"
import type { Transition } from "../engine/description.ts"
import { explainChannelFailure } from "../engine/ended.ts"
import { transit } from "../engine/transition.ts"
import { linkBase } from "../guest/base.ts"
import { warmLater } from "../guest/baseline.ts"
import { driverOf, layerFormatOf } from "../guest/driver.ts"
import {
  acquireGuest,
  type GuestRequest,
  type GuestServices,
  type NetworkTurned,
  reportSlowStep
} from "../guest/generation.ts"
import { ownerOfImage, withImage } from "../guest/image-defaults.ts"
import { reportPorts, reportSeed } from "../guest/notices.ts"
import { demandUser, ownerOf } from "../guest/workspace-user.ts"
import { enterNew, forget, makeFolder, recordLoan, recordOfNew } from "./new-workspace.ts"
import { type ResumeServices, wakeForClient } from "./pause.ts"

/** A request for a workspace. pyro's own callers can set fields that a person cannot. */
export interface AskedWorkspace extends CreatePayload {
  /** The disk for its result (`RestoreRequest.result`). */
  readonly result?: ResultDisk
  /** Reference of the image that a builder of pyro's own makes. */
  readonly builder?: string
}

/** The record that announces a workspace before any of its files. */
const announced = (
  lifecycle: Lifecycle,
  { builder, result, ...payload }: AskedWorkspace,
  granted: Granted | undefined
) =>
  Effect.gen(function*() {
    const project = yield* projectOf(payload)
    const driver = yield* driverOf(payload)
    const record: WorkspaceRecord = {
      ...(yield* recordOfNew(lifecycle, payload, { defaults: payload, granted, project })),
      environment: { name: payload.environment, digest: "" },
      vcpuCount: payload.vcpuCount,
      memoryMib: payload.memoryMib,
      diskMib: payload.diskMib,
      ...(driver === "firecracker" ? { driver } : {}),
      ...(result === undefined ? {} : { result }),
      ...(builder === undefined ? {} : { builder }),
      ...(payload.seedPath === undefined ? {} : { seedPath: yield* shownSource(payload.seedPath) }),
      ...(payload.repoUrl === undefined ? {} : { repoUrl: shownRepository(payload.repoUrl) }),
      ...(payload.repoRef === undefined ? {} : { repoRef: payload.repoRef }),
      workspaceUser: payload.workspaceUser
    }
    return record
  })

/** The caller's project. Without one: the directory or archive that the workspace starts with. */
const projectOf = ({ seedPath }: CreatePayload) =>
  Effect.gen(function*() {
    const caller = yield* callerProject
    if (caller !== undefined || seedPath === undefined) return caller?.project
    return (yield* packedAt(seedPath))?.project ?? realPath(seedPath)
  })

/** The images of its root, from the cache. Missing ones are built. */
export const imagesFor = (environment: string, notify: Notify, beforeBuild?: DemandRoom) =>
  Effect.gen(function*() {
    const onProgress = ({ fraction, step }: { readonly step: string; readonly fraction: number }) =>
      notify({ _tag: "Notice", level: "progress", message: step, fraction })
    return {
      environment: yield* Effect.flatMap(
        Environments,
        ({ ensure }) => ensure(environment, { beforeBuild, onProgress })
      ),
      kernel: yield* Effect.flatMap(Kernel, ({ ensureWith }) => ensureWith(onProgress))
    }
  })

type Images = Effect.Success<ReturnType<typeof imagesFor>>

/** Catalogue environments are not made from an image. */
const imageOwner = (environment: string) =>
  catalogue.some(({ name }) => name === environment)
    ? Effect.succeed(undefined)
    : Effect.flatMap(Environments, ({ resolve }) => resolve(environment)).pipe(
      Effect.map((found) => ownerOfImage(Option.getOrUndefined(found)?.oci)),
      // The build of the image says what is wrong.
      Effect.orElseSucceed(() => undefined)
    )

/** Makes the first disk of a workspace. */
const prepareDisk = (record: WorkspaceRecord, folder: WorkspaceFolder, payload: CreatePayload) =>
  Effect.gen(function*() {
    const owner = ownerOf(record.workspaceUser) ?? (yield* imageOwner(payload.environment))
    const { image: seed, report } = yield* prepareSeed({ ...payload, virtualMib: record.diskMib, owner })
    const isEmpty = payload.seedPath === undefined && payload.repoUrl === undefined
    const placeholder = isEmpty && owner === undefined
      ? seed
      : yield* Effect.flatMap(SeedImages, (seeds) => seeds.empty(record.diskMib))
    const disk = folder.disk(record.disk)
    yield* linkSeed(disk, seed.path)
    yield* makeWorkspaceDisk(disk, seed.virtualBytes, layerFormatOf(record))
    if (report.rules !== undefined) yield* writePushed(folder.directory, { entries: new Map(), rules: report.rules })
    faultPoint("create:disk")
    return { placeholder, seedImage: seed, disk: yield* readWorkspaceDisk(disk, seed.virtualBytes), report }
  })

type Prepared = Effect.Success<ReturnType<typeof prepareDisk>>

/** The parts of a workspace that its first VM does not need. */
const prepareRest = (
  lifecycle: Lifecycle,
  entry: Entry,
  { environment, kernel }: Images,
  { report }: Prepared,
  notify: Notify
) =>
  Effect.gen(function*() {
    const { folder } = entry
    const record = yield* entry.record.now
    yield* linkBase(folder.base, { environment, kernel }).pipe(
      // The cache was emptied in the meantime: a new build gives the same image, or the VM's image is another one.
      Effect.catchTag("ImageDamaged", (gone) =>
        Effect.flatMap(Effect.interruptible(imagesFor(record.environment.name, notify)), (again) =>
          again.environment.digest === environment.digest && again.kernel.digest === kernel.digest
            ? linkBase(folder.base, again)
            : gone))
    )
    faultPoint("create:held")
    reportSeed(report, notify)
    reportPorts(environment.oci, [
      call("Publish one", "workspace.port.publish", { workspace: record.name ?? record.id }, "port")
    ], notify)
    const from = record.seedPath ?? record.repoUrl
    yield* recordEvent(folder.directory, {
      _tag: "seed",
      ...(from === undefined ? {} : { from }),
      files: report.files,
      bytes: report.bytes
    })
    yield* recordLoan(entry)
    const wake = yield* wakeForClient(lifecycle, entry)
    const residents = openResidents(
      folder,
      recordedGrant(record),
      defaultsOf(entry),
      loanSourceOf(entry),
      () =>
        nameNow(entry),
      wake
    )
    yield* entry.residents.hold(yield* Scope.provide(residents, entry.scope))
  })

/** Says how long the files of a seed have been copied. */
const copies = (notify: Notify) => (seconds: number) =>
  notify({ _tag: "Notice", level: "progress", message: `copying the files: ${seconds} s` })

/** Makes folder, record and first disk of a workspace. The record precedes everything that it announces. */
const announceAndPrepare = (entry: Entry, payload: CreatePayload, notify: Notify) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    yield* makeFolder(entry.folder)
    // A power cut undoes the folder and everything in it.
    yield* writeWorkspace(entry.folder, record, { flush: false })
    yield* writeSecrets(entry.folder.directory, initialSecrets(payload))
    yield* writeFirstItems(entry.folder.directory, payload.secretHttp)
    faultPoint("create:secrets")
    faultPoint("create:announced")
    const preparing = prepareDisk(record, entry.folder, payload).pipe(
      asStep("disk"),
      // Retries if the cache was emptied between the making of an image and its link.
      Effect.retry({ times: 1, while: (failure) => failure._tag === "ImageDamaged" })
    )
    const isEmpty = (payload.repoUrl ?? payload.seedPath) === undefined
    const [prepared, images] = yield* Effect.all([
      isEmpty ? preparing : whileSlow(copies(notify))(preparing),
      // In parallel: another process reads the seed's files.
      imagesFor(payload.environment, notify, yield* roomFor({ ...record, driver: record.driver ?? "qemu" }))
    ], { concurrency: 2 })
    return { prepared, images, record }
  })

interface Creating extends Required<Pick<GuestRequest, "onNetwork">> {
  /** Gets the seed of the disk. */
  readonly onPrepared: (prepared: Prepared) => void
}

/** Services of a creation: `HostFacts` for the seed, and those of the first VM and of the residents. */
type CreateServices = GuestServices | HostFacts | ResidentServices | ResumeServices

/** Why the first VM of a workspace is not made. */
type CreateFailure = Effect.Error<
  ReturnType<typeof acquireGuest | typeof announceAndPrepare | typeof demandUser | typeof prepareRest>
>

/** The first VM of a workspace, on a new disk. */
const creating = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: CreatePayload,
  notify: Notify,
  { onNetwork, onPrepared }: Creating
): Transition<CreateServices, CreateFailure> => {
  let digest = ""
  let oci: OciOrigin | undefined
  return {
    name: "create",
    entry,
    build: () =>
      Effect.gen(function*() {
        const { images, prepared, record } = yield* announceAndPrepare(entry, payload, notify)
        digest = images.environment.digest
        oci = images.environment.oci
        onPrepared(prepared)
        const claiming = yield* Deferred.make<void>()
        // The rest is made during the guest's claim: before, the VM needs the whole host.
        const rest = yield* Deferred.await(claiming).pipe(
          Effect.andThen(
            Effect.uninterruptible(prepareRest(lifecycle, entry, images, prepared, notify)).pipe(asStep("rest"))
          ),
          Effect.forkScoped
        )
        const guest = yield* acquireGuest({
          record,
          images,
          disk: prepared.disk,
          placeholder: prepared.placeholder,
          seedImage: prepared.seedImage,
          onSlowStep: reportSlowStep(notify),
          onClaim: () => settleAfterwards(claiming, Effect.void),
          onNetwork
        })
        yield* Fiber.join(rest).pipe(
          Effect.andThen(demandUser(guest.channel, record.workspaceUser, payload.environment)),
          explainChannelFailure(guest)
        )
        return guest
      }),
    change: (record) => ({ ...withImage(record, oci), environment: { name: payload.environment, digest } }),
    event: { _tag: "created", environment: payload.environment }
  }
}

/**
 * Creates a workspace and gives its entry. If the creation fails or is interrupted, nothing stays: `transition.ts` undoes the VM, and
 * `forget` removes the folder.
 */
export const create = (lifecycle: Lifecycle, payload: AskedWorkspace, network: Granted | undefined, notify: Notify) =>
  Effect.gen(function*() {
    const record = yield* announced(lifecycle, payload, network)
    const entry = yield* enterNew(lifecycle, payload, record, payload)
    let files = 0
    let networkOn: NetworkTurned = Effect.void
    const transition = creating(lifecycle, entry, payload, notify, {
      onPrepared: ({ report }) => (files = report.files),
      onNetwork: (turned) => (networkOn = turned)
    })
    const generation = yield* transit(lifecycle, transition).pipe(
      // The guest turns on its network while the host writes the record and reports to the residents.
      Effect.tap(Effect.interruptible(Effect.suspend(() => networkOn))),
      entry.lifecycleLock.hold,
      Effect.onError(() => Effect.ignoreCause(forget(lifecycle, entry)))
    )
    if (generation !== undefined) yield* warmLater(lifecycle, generation, { files })
    return entry
  }).pipe(Effect.uninterruptible)
