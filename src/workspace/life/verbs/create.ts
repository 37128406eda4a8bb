import { Deferred, Effect, Exit, Fiber, Option, Ref, Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import { callerProject } from "../../../contract/wire/caller-project.ts"
import type { ResultDisk } from "../../../lib/disk/result-disk.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { linkSeed, makeWorkspaceDisk, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { Environments } from "../../../lib/environment/Environments.ts"
import { Kernel } from "../../../lib/environment/Kernel.ts"
import { catalogue, type OciOrigin } from "../../../lib/environment/model/catalogue.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { writePushed } from "../../../lib/seeding/model/pushed.ts"
import { publicUrl } from "../../../lib/seeding/model/request.ts"
import { prepareSeed } from "../../../lib/seeding/prepare.ts"
import type { DriverName } from "../../../lib/vm/model/guest.ts"
import { type DemandRoom, roomFor } from "../../../lib/vm/room.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { realPath } from "../../../system/files/host-path.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { annotateStep, asStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { settleAfterwards } from "../../../system/waits/signal.ts"
import { nowIso } from "../../../system/waits/time.ts"
import type { Lifecycle, LifecycleServices, Notify } from "../../entry/context.ts"
import { type Entry, makeEntry, nameNow } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import {
  folderOf,
  RECORD_FORMAT,
  unwritten,
  type WorkspaceFolder,
  type WorkspaceId,
  type WorkspaceRecord,
  writeWorkspace
} from "../../entry/record.ts"
import { newIds } from "../../entry/registry.ts"
import { noStates } from "../../entry/resident.ts"
import { checkGiven } from "../../residents/header-secret/bindings.ts"
import { writeFirstItems } from "../../residents/header-secret/header-secrets.ts"
import { demandDriver } from "../../residents/network/tap.ts"
import { openResidents } from "../../residents/open/open.ts"
import { type Granted, nothingGranted, recordedGrant, withPolicy } from "../../residents/policy/policy.ts"
import { defaultsOf, demandRoom, recordedDefaults } from "../../residents/program/command-defaults.ts"
import { writeSecrets } from "../../residents/secret/secret-file.ts"
import { initialSecrets, searchOfGiven } from "../../residents/secret/workspace-secrets.ts"
import { type LastingLoan, loanOf, loanSourceOf } from "../../residents/ssh/loan-source.ts"
import { explainChannelFailure } from "../engine/channel-failure.ts"
import type { Transition } from "../engine/description.ts"
import { moveToTrash, removeTrashed } from "../engine/sweep.ts"
import { transit } from "../engine/transition.ts"
import { linkBase } from "../guest/base.ts"
import { warmLater } from "../guest/baseline.ts"
import { driverOf, layerFormatOf } from "../guest/driver.ts"
import { acquireGuest, type GuestRequest, reportSlowStep } from "../guest/generation.ts"
import { ownerOfImage, withImage } from "../guest/image-defaults.ts"
import { demandLifetime } from "../guest/lifetime.ts"
import { reportPorts, reportSeed } from "../guest/notices.ts"
import { demandUser, ownerOf } from "../guest/workspace-user.ts"
import { pauseOfNew } from "./pause-after.ts"
import { wakeForClient } from "./pause.ts"

/** A network device has a policy, also without a grant. */
const networkOf = ({ networkDriver }: CreatePayload, granted: Granted | undefined) =>
  granted ?? (networkDriver === "tap" ? nothingGranted : undefined)

/** A request for a workspace. pyro's own callers can set fields that a person cannot. */
export interface AskedWorkspace extends CreatePayload {
  /** The disk for its result (`RestoreRequest.result`). */
  readonly result?: ResultDisk
  /** Reference of the image that a builder of pyro's own makes. */
  readonly builder?: string
}

/** The record that announces a workspace before any of its files. */
const announced = (
  { builder, result, ...payload }: AskedWorkspace,
  { createdAt, driver, id, network, pause, project, sshAgent }: {
    readonly id: WorkspaceId
    readonly createdAt: string
    readonly network: Granted | undefined
    readonly project: string | undefined
    readonly driver: DriverName
    readonly pause: Pick<WorkspaceRecord, "pauseAfterSeconds">
    readonly sshAgent: LastingLoan | undefined
  }
): WorkspaceRecord => ({
  format: RECORD_FORMAT,
  id,
  phase: "creating",
  ...(payload.name === undefined ? {} : { name: payload.name }),
  labels: payload.labels,
  environment: { name: payload.environment, digest: "" },
  generation: 1,
  disk: 0,
  vcpuCount: payload.vcpuCount,
  memoryMib: payload.memoryMib,
  diskMib: payload.diskMib,
  residents: network === undefined ? noStates : withPolicy(noStates, network.policy),
  ...(driver === "firecracker" ? { driver } : {}),
  ...(payload.networkDriver === "tap" ? { networkDriver: payload.networkDriver } : {}),
  ...(result === undefined ? {} : { result }),
  ...(builder === undefined ? {} : { builder }),
  ...(payload.requireConfinement === undefined ? {} : { requireConfinement: payload.requireConfinement }),
  ...(payload.ttlSeconds === undefined ? {} : { ttlSeconds: payload.ttlSeconds }),
  ...pause,
  ...(payload.seedPath === undefined ? {} : { seedPath: payload.seedPath }),
  ...(payload.repoUrl === undefined ? {} : { repoUrl: publicUrl(payload.repoUrl) ?? payload.repoUrl }),
  ...(payload.repoRef === undefined ? {} : { repoRef: payload.repoRef }),
  workspaceUser: payload.workspaceUser,
  ...recordedDefaults(payload),
  ...(project === undefined ? {} : { project }),
  ...(sshAgent === undefined ? {} : { sshAgent }),
  createdAt
})

/** The caller's project. Without one: the directory or archive that the workspace starts with. */
const projectOf = ({ seedPath }: CreatePayload) =>
  Effect.map(
    callerProject,
    (caller) => caller?.project ?? (seedPath === undefined ? undefined : realPath(seedPath))
  )

export const makeFolder = (folder: WorkspaceFolder) =>
  Effect.mapError(Effect.andThen(ensureFolder(folder.directory), writeFile(folder.activity, "")), unwritten(folder))

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
    const record = yield* Ref.get(entry.record)
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
    reportPorts(environment.oci, `publish one with: pyro port publish ${record.name ?? record.id} PORT`, notify)
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
    yield* Ref.set(entry.residents, Option.some(yield* Scope.provide(residents, entry.scope)))
  })

/** Records that a new workspace has a lent agent. */
export const recordLoan = ({ folder, record }: Entry) =>
  Effect.flatMap(Ref.get(record), ({ sshAgent }) =>
    sshAgent === undefined
      ? Effect.void
      : recordEvent(folder.directory, { _tag: "ssh_agent_lent", hosts: sshAgent.hosts }))

/** Makes folder, record and first disk of a workspace. The record precedes everything that it announces. */
const announceAndPrepare = (entry: Entry, payload: CreatePayload, notify: Notify) =>
  Effect.gen(function*() {
    const record = yield* Ref.get(entry.record)
    yield* makeFolder(entry.folder)
    // A power cut undoes the folder and everything in it.
    yield* writeWorkspace(entry.folder, record, { flush: false })
    yield* writeSecrets(entry.folder.directory, initialSecrets(payload))
    yield* writeFirstItems(entry.folder.directory, payload.secretHttp)
    faultPoint("create:secrets")
    faultPoint("create:announced")
    const [prepared, images] = yield* Effect.all([
      prepareDisk(record, entry.folder, payload).pipe(
        asStep("disk"),
        // Retries if the cache was emptied between the making of an image and its link.
        Effect.retry({ times: 1, while: (failure) => failure._tag === "ImageDamaged" })
      ),
      // In parallel: another process reads the seed's files.
      imagesFor(payload.environment, notify, yield* roomFor({ ...record, driver: record.driver ?? "qemu" }))
    ], { concurrency: 2 })
    return { prepared, images, record }
  })

interface Creating extends Required<Pick<GuestRequest, "onNetwork">> {
  /** Gets the seed of the disk. */
  readonly onPrepared: (prepared: Prepared) => void
}

/** The first VM of a workspace, on a new disk. */
const creating = (
  lifecycle: Lifecycle,
  entry: Entry,
  payload: CreatePayload,
  notify: Notify,
  { onNetwork, onPrepared }: Creating
): Transition<LifecycleServices> => {
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
    const { registry } = lifecycle
    const { stateDir } = yield* Paths
    const [id] = yield* newIds(registry, 1)
    const record = announced(payload, {
      id: id!,
      createdAt: yield* nowIso,
      network: networkOf(payload, network),
      project: yield* projectOf(payload),
      driver: yield* driverOf(payload),
      pause: yield* pauseOfNew(payload),
      sshAgent: yield* loanOf(payload)
    })
    yield* demandPlain(searchOfGiven(payload), {
      name: payload.name,
      labels: payload.labels,
      env: payload.env,
      cwd: payload.cwd
    })
    yield* demandRoom(payload.env)
    yield* registry.checkName(payload.name, record.id)
    yield* demandDriver(payload)
    yield* demandLifetime(payload.ttlSeconds)
    yield* checkGiven(payload)
    yield* annotateStep("workspace", record.id)
    const entry = yield* makeEntry(lifecycle, folderOf(stateDir, record.id), record)
    registry.entries.set(record.id, entry)
    let files = 0
    let networkOn: Effect.Effect<void, PyroError> = Effect.void
    const transition = creating(lifecycle, entry, payload, notify, {
      onPrepared: ({ report }) => (files = report.files),
      onNetwork: (turned) => (networkOn = turned)
    })
    const generation = yield* transit(lifecycle, transition).pipe(
      // The guest turns on its network while the host writes the record and reports to the residents.
      Effect.tap(Effect.interruptible(Effect.suspend(() => networkOn))),
      entry.lifecycleLock.withPermits(1),
      Effect.onError(() => Effect.ignoreCause(forget(lifecycle, entry)))
    )
    if (generation !== undefined) yield* warmLater(lifecycle, generation, { files })
    return entry
  }).pipe(Effect.uninterruptible)

/** Removes a workspace from this process and from the disk. Its VMs end with its scope. */
export const forget = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* Scope.close(entry.scope, Exit.void)
    const trashed = yield* moveToTrash(entry.folder.directory)
    faultPoint("delete:forgotten")
    lifecycle.registry.entries.delete(entry.id)
    yield* removeTrashed(trashed)
  })
