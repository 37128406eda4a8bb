import { Effect, Option } from "effect"
import { QuotaExceeded } from "../../contract/errors/errors.ts"
import { readQuotas } from "../../system/files/quotas.ts"
import type { Entry } from "./entry.ts"
import type { WorkspaceRecord } from "./record.ts"
import type { Registry } from "./registry.ts"

type Sized = Pick<WorkspaceRecord, "diskMib" | "id" | "memoryMib" | "tenant" | "vcpuCount">
type Entries = Pick<Registry, "entries">

const ofTenant = ({ entries }: Entries, tenant: string) =>
  Effect.filter([...entries.values()], (entry) => Effect.map(entry.record.now, (record) => record.tenant === tenant))

/**
 * Fails if a workspace of these sizes is above a quota of its tenant. Counts all of the tenant's workspaces, stopped ones too, so that a start needs no
 * check. The caller enters the workspace into the registry before any other fiber runs.
 */
export const demandQuota = (registry: Entries, { id, tenant, ...asked }: Sized) =>
  Effect.gen(function*() {
    if (tenant === undefined) return
    const quotas = yield* readQuotas(tenant)
    const others = (yield* Effect.forEach(yield* ofTenant(registry, tenant), (entry) => entry.record.now))
      .filter((record) => record.id !== id)
    const sum = (size: (record: Omit<Sized, "id" | "tenant">) => number) =>
      others.reduce((total, record) => total + size(record), 0)
    const demands = [
      ["workspaces", quotas.workspaces, others.length, 1],
      ["memory_mib", quotas.memoryMib, sum(({ memoryMib }) => memoryMib), asked.memoryMib],
      ["vcpus", quotas.vcpus, sum(({ vcpuCount }) => vcpuCount), asked.vcpuCount],
      ["disk_mib", quotas.diskMib, sum(({ diskMib }) => diskMib), asked.diskMib]
    ] as const
    for (const [quota, limit, used, more] of demands) {
      if (limit !== undefined && used + more > limit) {
        return yield* new QuotaExceeded({ tenant, quota, limit, used, asked: more })
      }
    }
  })

/** Fails if one more command in a workspace is above the quota of its tenant. */
export const demandCommandQuota = (registry: Entries, entry: Entry) =>
  Effect.gen(function*() {
    const { tenant } = yield* entry.record.now
    if (tenant === undefined) return
    const { commands: limit } = yield* readQuotas(tenant)
    if (limit === undefined) return
    const counts = yield* Effect.forEach(yield* ofTenant(registry, tenant), (one) =>
      Effect.flatMap(one.residents.now, (residents) =>
        Option.isNone(residents)
          ? Effect.succeed(0)
          : Effect.map(residents.value.describe, ({ runningCommands = 0 }) =>
            runningCommands)))
    const used = counts.reduce((total, count) =>
      total + count, 0)
    if (used + 1 > limit) return yield* new QuotaExceeded({ tenant, quota: "commands", limit, used, asked: 1 })
  })
