import { Effect, Exit, Scope } from "effect"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import { callerTenant } from "../../../contract/wire/identity.ts"
import { demandPlain } from "../../../lib/redaction/redact.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { annotateStep } from "../../../system/telemetry/spans.ts"
import { faultPoint } from "../../../system/waits/fault.ts"
import { nowIso } from "../../../system/waits/time.ts"
import type { Lifecycle } from "../../entry/context.ts"
import { type Entry, makeEntry } from "../../entry/entry.ts"
import { recordEvent } from "../../entry/events.ts"
import { demandQuota } from "../../entry/quota.ts"
import { folderOf, RECORD_FORMAT, unwritten, type WorkspaceFolder, type WorkspaceRecord } from "../../entry/record.ts"
import { newIds } from "../../entry/registry.ts"
import { noStates } from "../../entry/resident.ts"
import { checkGiven } from "../../residents/header-secret/bindings.ts"
import { type Granted, withPolicy } from "../../residents/policy/policy.ts"
import { type CommandDefaults, demandRoom, recordedDefaults } from "../../residents/program/command-defaults.ts"
import { searchOfGiven } from "../../residents/secret/workspace-secrets.ts"
import { loanOf } from "../../residents/ssh/loan-source.ts"
import { moveToTrash, removeTrashed } from "../engine/sweep.ts"
import { demandLifetime } from "../guest/lifetime.ts"
import { pauseOfNew } from "./pause-after.ts"

/** What a new workspace has of its origin, where the request does not say it: of a saved snapshot. */
interface Origin {
  readonly pauseAfterSeconds?: number | undefined
  readonly requireConfinement?: WorkspaceRecord["requireConfinement"]
}

/** The part of the record of a new workspace that every request says in the same way. */
export const recordOfNew = (
  { registry }: Lifecycle,
  payload: CreatePayload,
  { defaults, granted, origin = {}, project }: {
    readonly defaults: CommandDefaults
    readonly granted: Granted | undefined
    readonly project: string | undefined
    readonly origin?: Origin
  }
) =>
  Effect.gen(function*() {
    const [id] = yield* newIds(registry, 1)
    const createdAt = yield* nowIso
    const tenant = yield* callerTenant
    const pause = yield* pauseOfNew(payload, origin)
    const sshAgent = yield* loanOf(payload)
    const requireConfinement = payload.requireConfinement ?? origin.requireConfinement
    return {
      format: RECORD_FORMAT,
      id: id!,
      phase: "creating" as const,
      ...(payload.name === undefined ? {} : { name: payload.name }),
      labels: payload.labels,
      generation: 1,
      disk: 0,
      residents: granted === undefined ? noStates : withPolicy(noStates, granted.policy),
      ...(requireConfinement === undefined ? {} : { requireConfinement }),
      ...(payload.ttlSeconds === undefined ? {} : { ttlSeconds: payload.ttlSeconds }),
      ...pause,
      ...recordedDefaults(defaults),
      ...(project === undefined ? {} : { project }),
      ...(tenant === undefined ? {} : { tenant }),
      ...(sshAgent === undefined ? {} : { sshAgent }),
      createdAt
    } satisfies Partial<WorkspaceRecord>
  })

/** Refuses what no workspace may have, and enters a new one into the registry. Nothing of it is on disk yet. */
export const enterNew = (
  lifecycle: Lifecycle,
  payload: CreatePayload,
  record: WorkspaceRecord,
  { cwd, env }: CommandDefaults
) =>
  Effect.gen(function*() {
    const { registry } = lifecycle
    const { stateDir } = yield* Paths
    yield* demandPlain(searchOfGiven(payload), { name: payload.name, labels: payload.labels, env, cwd })
    yield* demandRoom(env)
    yield* registry.checkName(payload.name, record)
    yield* demandLifetime(payload.ttlSeconds)
    yield* checkGiven(payload)
    yield* annotateStep("workspace", record.id)
    const entry = yield* makeEntry(lifecycle, folderOf(stateDir, record.id), record)
    yield* demandQuota(registry, record)
    registry.entries.set(record.id, entry)
    return entry
  })

export const makeFolder = (folder: WorkspaceFolder) =>
  Effect.mapError(Effect.andThen(ensureFolder(folder.directory), writeFile(folder.activity, "")), unwritten(folder))

/** Records that a new workspace has a lent agent. */
export const recordLoan = ({ folder, record }: Entry) =>
  Effect.flatMap(record.now, ({ sshAgent }) =>
    sshAgent === undefined
      ? Effect.void
      : recordEvent(folder.directory, { _tag: "ssh_agent_lent", hosts: sshAgent.hosts }))

/** Removes a workspace from this process and from the disk. Its VMs end with its scope. */
export const forget = (lifecycle: Lifecycle, entry: Entry) =>
  Effect.gen(function*() {
    yield* Scope.close(entry.scope, Exit.void)
    const trashed = yield* moveToTrash(entry.folder.directory)
    faultPoint("delete:forgotten")
    lifecycle.registry.entries.delete(entry.id)
    yield* removeTrashed(trashed)
  })
