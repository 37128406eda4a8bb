import { Effect, Option } from "effect"
import * as path from "node:path"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import { isKeptAlive } from "../../contract/wire/keep-alive.ts"
import { isLayer } from "../../lib/disk/layer-format.ts"
import { namesIn } from "../../system/files/entries.ts"
import { bytesBeneath, bytesOnDisk } from "../../system/files/usage.ts"
import { lastActivity, touch } from "../entry/activity.ts"
import type { Entry } from "../entry/entry.ts"
import { silentText, troubleText } from "../entry/standstill.ts"
import { openResidentsOf } from "../residents/open/entry-residents.ts"

/** Bytes that the layers in a disk's folder take on the host's disk. 0 if a deletion removes the folder meanwhile. */
export const usedBeneath = (folder: string): number => {
  try {
    return namesIn(folder)
      .filter(isLayer)
      .reduce((sum, name) => sum + bytesOnDisk(path.join(folder, name)), 0)
  } catch {
    return 0
  }
}

/** Reason why the guest of a workspace does not run now. */
const troubleOf = (entry: Entry) =>
  Effect.gen(function*() {
    const generation = yield* entry.generation.now
    if (Option.isNone(generation)) return undefined
    const { channel, guest } = generation.value
    const trouble = yield* guest.vm.health.trouble
    if (trouble !== "none") return troubleText(trouble)
    return channel.isSilent() ? silentText : undefined
  })

/** Identity and state of a workspace, for people and programs. */
export const infoOf = (entry: Entry): Effect.Effect<WorkspaceInfo> =>
  Effect.gen(function*() {
    const record = yield* entry.record.now
    const { detail = yield* troubleOf(entry), state } = yield* entry.state.now
    const residents = yield* openResidentsOf(entry)
    const active = lastActivity(entry.folder, record)
    return {
      id: record.id,
      ...(record.name === undefined ? {} : { name: record.name }),
      labels: record.labels,
      environment: record.environment.name,
      environmentDigest: record.environment.digest,
      state,
      ...(detail === undefined ? {} : { detail }),
      createdAt: record.createdAt,
      lastActivityAt: active.toISOString(),
      ...(record.ttlSeconds === undefined
        ? {}
        : { expiresAt: new Date(active.getTime() + record.ttlSeconds * 1000).toISOString() }),
      ...(record.pauseAfterSeconds === undefined ? {} : { pauseAfterSeconds: record.pauseAfterSeconds }),
      generation: record.generation,
      vcpuCount: record.vcpuCount,
      memoryMib: record.memoryMib,
      diskMib: record.diskMib,
      diskUsedBytes: usedBeneath(entry.folder.disk(record.disk)),
      ...(state === "paused" ? { pausedBytes: bytesBeneath(entry.folder.paused) } : {}),
      ...(record.seedPath === undefined ? {} : { seedPath: record.seedPath }),
      ...(record.repoUrl === undefined ? {} : { repoUrl: record.repoUrl }),
      ...(record.repoRef === undefined ? {} : { repoRef: record.repoRef }),
      ...(record.user === undefined ? { workspaceUser: record.workspaceUser } : {}),
      ...(record.env === undefined ? {} : { env: record.env }),
      ...(record.cwd === undefined ? {} : { cwd: record.cwd }),
      ...(record.project === undefined || record.project === "" ? {} : { project: record.project }),
      ...(record.forkedFrom === undefined ? {} : { forkedFrom: record.forkedFrom.workspace }),
      secrets: Option.isNone(residents) ? [] : residents.value.secrets.names,
      secretCommands: Option.isNone(residents) ? [] : residents.value.secrets.commandNames,
      secretHttp: Option.isNone(residents) ? [] : residents.value.headerSecrets.texts(),
      driver: record.driver ?? "qemu",
      ports: [],
      runningCommands: 0,
      services: {},
      running: [],
      shells: 0,
      ...(entry.consents.waiting().length === 0 ? {} : { pendingExports: entry.consents.waiting() }),
      ...(entry.consents.pendingLogins().length === 0 ? {} : { pendingLogins: entry.consents.pendingLogins() }),
      ...(Option.isNone(residents) ? {} : yield* residents.value.describe)
    }
  })

/** The same for a request. A keep-alive request of a program counts as a use, and renews the expiry. It resumes nothing. */
export const statusOf = (entry: Entry): Effect.Effect<WorkspaceInfo> =>
  Effect.gen(function*() {
    if (yield* isKeptAlive) {
      yield* entry.uses.note
      if ((yield* entry.record.now).ttlSeconds !== undefined) yield* touch(entry.folder)
    }
    return yield* infoOf(entry)
  })
