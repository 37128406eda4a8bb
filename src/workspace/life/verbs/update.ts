import { Effect, Option } from "effect"
import { InvalidRequest, WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import type { UpdatePayload } from "../../../contract/rows/workspace-update.ts"
import { named } from "../../../contract/text/names.ts"
import { linkGrown, readWorkspaceDisk } from "../../../lib/disk/workspace-disk.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { touch } from "../../entry/activity.ts"
import { discardFolder, endUnattached, type Lifecycle, removeFolder } from "../../entry/context.ts"
import { displayName, type Entry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { demandQuota } from "../../entry/quota.ts"
import { virtualBytesOf, type WorkspaceRecord } from "../../entry/record.ts"
import { guardOf, openResidentsOf, residentsOf } from "../../residents/open/entry-residents.ts"
import type { OpenResidents } from "../../residents/open/open.ts"
import { demandRoom, recordedDefaults } from "../../residents/program/command-defaults.ts"
import { searchOfGiven } from "../../residents/secret/workspace-secrets.ts"
import { redactStoredServices } from "../../residents/service/services.ts"
import { type LastingLoan, loanOf } from "../../residents/ssh/loan-source.ts"
import { hostnameOf, renameGuest } from "../guest/generation.ts"
import { demandLifetime } from "../guest/lifetime.ts"
import { recordedPause } from "./pause-after.ts"

/** Fails unless the disk of the workspace can grow to this size now. */
const demandGrowth = (entry: Entry, diskMib: number): Effect.Effect<void, InvalidRequest | WorkspaceNotReady> =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    if (diskMib < record.diskMib) {
      const detail = `is less than the ${record.diskMib} MiB of the disk, and a disk never shrinks`
      return yield* new InvalidRequest({ field: "disk_mib", detail })
    }
    const { state } = yield* entry.state.now
    if (diskMib > record.diskMib && state !== "stopped" && state !== "failed") {
      return yield* new WorkspaceNotReady({
        workspace: yield* displayName(entry),
        state,
        detail: "a disk grows only while no microVM has it",
        legalStates: ["stopped", "failed"]
      })
    }
  })

/**
 * Grows the disk of a workspace at rest: the same layers with a larger one on top, in a new folder. One durable write of the record
 * switches over; a crash before leaves the old folder, a crash after it the new one, and a sweep removes the other. The next mount grows
 * the file system. The caller holds the workspace alone.
 */
const growDisk = (entry: Entry, diskMib: number) =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    if (diskMib === record.diskMib) return
    yield* endUnattached(entry)
    const next = record.disk + 1
    const [old, folder] = [entry.folder.disk(record.disk), entry.folder.disk(next)]
    const disk = yield* readWorkspaceDisk(old, virtualBytesOf(record))
    yield* removeFolder(folder)
    yield* linkGrown(disk, folder, virtualBytesOf({ diskMib })).pipe(
      Effect.tap(Effect.sync(() => faultPoint("grow:linked"))),
      Effect.andThen(entry.record.commit((known) => ({ ...known, disk: next, diskMib }), { durable: true })),
      Effect.onError(() => discardFolder(folder))
    )
    faultPoint("grow:committed")
    yield* discardFolder(old)
  }).pipe(Effect.uninterruptible)

const changed = (
  record: WorkspaceRecord,
  payload: UpdatePayload,
  loan: LastingLoan | undefined
): WorkspaceRecord => {
  const { cwd: ownCwd, env: ownEnv, name: ownName, pauseAfterSeconds, sshAgent: ownAgent, ttlSeconds, ...rest } = record
  const sshAgent = payload.clearSshAgent === true ? undefined : loan ?? ownAgent
  const name = payload.clearName === true ? undefined : payload.name ?? ownName
  const ttl = payload.ttlSeconds ?? ttlSeconds
  const labels = named(
    Object.entries({ ...record.labels, ...payload.labels }).filter(([key]) => !payload.clearLabels.includes(key))
  )
  const env = named(
    Object.entries({ ...ownEnv, ...payload.env }).filter(([key]) => !payload.clearEnv.includes(key))
  )
  return {
    ...rest,
    labels,
    ...recordedDefaults({ env, cwd: payload.cwd ?? ownCwd }),
    ...recordedPause(payload.pauseAfterSeconds ?? pauseAfterSeconds),
    ...(name === undefined ? {} : { name }),
    ...(sshAgent === undefined ? {} : { sshAgent }),
    ...(ttl === undefined || ttl === 0 ? {} : { ttlSeconds: ttl })
  }
}

const changesSecrets = (
  { clearSecretHttp = [], clearSecrets = [], secretCommands = [], secretHttp = [], secrets = {} }: UpdatePayload
) =>
  clearSecrets.length + Object.keys(secrets).length + secretHttp.length + clearSecretHttp.length +
      secretCommands.length > 0

const changesAgent = ({ clearSshAgent, sshAgent, sshAgentAsk, sshAgentSocket }: UpdatePayload) =>
  clearSshAgent === true || sshAgent !== undefined || sshAgentAsk !== undefined || sshAgentSocket !== undefined

const isNothing = (payload: UpdatePayload) =>
  payload.name === undefined && payload.clearName !== true && payload.ttlSeconds === undefined &&
  payload.pauseAfterSeconds === undefined &&
  payload.diskMib === undefined &&
  !changesAgent(payload) &&
  !changesSecrets(payload) &&
  payload.cwd === undefined &&
  payload.clearLabels.length + Object.keys(payload.labels).length === 0 &&
  payload.clearEnv.length + Object.keys(payload.env).length === 0

/** Changes secrets and their hosts. Connections with an old value are reset. */
const changeSecrets = ({ headerSecrets, network, secrets, services }: OpenResidents, payload: UpdatePayload) =>
  Effect.gen(function*() {
    yield* headerSecrets.check(payload)
    yield* redactStoredServices(services, searchOfGiven(payload))
    yield* secrets.change(payload)
    faultPoint("secrets:written")
    const hosts = yield* headerSecrets.change(payload)
    faultPoint("secrets:bound")
    network.resetHosts(hosts)
  })

/** The loan that an update asks for. A command that lends an agent now has the guest's socket. */
const loanToRecord = (entry: Entry, payload: UpdatePayload) =>
  Effect.gen(function*() {
    if (payload.clearSshAgent === true && payload.sshAgent !== undefined) {
      return yield* new InvalidRequest({ field: "clear_ssh_agent", detail: "cannot be combined with ssh_agent" })
    }
    const loan = yield* loanOf(payload)
    const residents = yield* openResidentsOf(entry)
    const lent = Option.getOrUndefined(residents)?.agentLoan.ofCommand()
    if (loan === undefined || lent === undefined) return loan
    return yield* new InvalidRequest({
      field: "ssh_agent",
      detail: `the workspace has an agent already, for ${lent.hosts.join(", ")}. End the command that lends it`
    })
  })

/** Records the end of a loan and the beginning of the next one, and follows in the VM. */
const changeLoan = (entry: Entry, { sshAgent: before }: WorkspaceRecord) =>
  Effect.gen(function*() {
    const { sshAgent } = yield* entry.record.now
    const { directory } = entry.folder
    const residents = yield* openResidentsOf(entry)
    if (before !== undefined) yield* recordEvent(directory, { _tag: "ssh_agent_ended", hosts: before.hosts })
    if (sshAgent !== undefined) yield* recordEvent(directory, { _tag: "ssh_agent_lent", hosts: sshAgent.hosts })
    if (Option.isSome(residents)) yield* residents.value.agentLoan.lasting.follow
  })

/** Renames the guest to the workspace's name, which prompts show. Without a guest, the next one gets the name. */
const renameIn = (entry: Entry, record: WorkspaceRecord) =>
  Effect.flatMap(
    entry.generation.now,
    Option.match({
      onNone: () => Effect.void,
      onSome: ({ guest }) => renameGuest(guest, hostnameOf(record))
    })
  )

/**
 * Changes name, labels, expiry, pause, variables, the directory of commands, secrets, the lent agent and the disk's size. A new expiry and a new pause count from
 * now. The caller has the workspace alone.
 */
export const update = (lifecycle: Lifecycle, entry: Entry, payload: UpdatePayload) =>
  Effect.gen(function*() {
    if (isNothing(payload)) {
      const detail =
        "is not given, and nothing else to change either: labels, labels to remove, an expiry, a pause, variables, a directory, secrets, an SSH agent, or a size"
      return yield* new InvalidRequest({ field: "name", detail })
    }
    if (payload.name !== undefined && payload.clearName === true) {
      return yield* new InvalidRequest({ field: "clear_name", detail: "cannot be combined with a new name" })
    }
    yield* demandLifetime(payload.ttlSeconds, { present: (yield* entry.record.now).ttlSeconds })
    yield* demandPlain(yield* guardOf(entry, {}), {
      name: payload.name,
      labels: payload.labels,
      env: payload.env,
      cwd: payload.cwd
    })
    const loan = yield* loanToRecord(entry, payload)
    const { cwd, env, labels, name } = changed(yield* entry.record.now, payload, loan)
    yield* demandRoom(env)
    yield* demandPlain(searchOfGiven(payload), { name, labels, env, cwd })
    yield* lifecycle.registry.checkName(payload.name, yield* entry.record.now)
    yield* demandQuota(lifecycle.registry, changed(yield* entry.record.now, payload, loan))
    const { diskMib } = payload
    if (diskMib !== undefined) {
      yield* demandGrowth(entry, diskMib)
      yield* growDisk(entry, diskMib)
    }
    if (changesSecrets(payload)) yield* changeSecrets(yield* residentsOf(entry, "workspace.update"), payload)
    const before = yield* entry.record.now
    const record = yield* entry.record.commit((record) => changed(record, payload, loan))
    if (changesAgent(payload)) yield* changeLoan(entry, before)
    if (payload.name !== undefined || payload.clearName === true) yield* renameIn(entry, record)
    if (payload.ttlSeconds !== undefined) yield* touch(entry.folder)
    if (payload.pauseAfterSeconds !== undefined) yield* entry.uses.note
  })
