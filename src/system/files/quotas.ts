import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { IDENTITY_NAME } from "../../contract/wire/identity.ts"
import { readJson, writeJsonAtomic } from "./atomic-file.ts"
import { ensureFolder } from "./entries.ts"
import { toHostErrorOf } from "./failure.ts"
import { Paths } from "./Paths.ts"

const Limit = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)))

/** What a tenant of `pyro serve --listen` may have at most. Absent: as much as the host gives. */
const Quotas = Schema.Struct({
  format: Schema.Literal(1),
  /** Workspaces, running or not. */
  workspaces: Limit,
  /** Sums over all workspaces, running or not. */
  memoryMib: Limit,
  vcpus: Limit,
  diskMib: Limit,
  /** Commands that run at a time. */
  commands: Limit
})
export type Quotas = Omit<typeof Quotas.Type, "format">

const fileOf = (tenant: string) =>
  Effect.map(Paths, ({ stateDir }) => ({ stateDir, file: path.join(stateDir, "serve", "tenants", `${tenant}.json`) }))

/** The quotas of a tenant. A damaged file is an error and not a tenant without limits. */
export const readQuotas = (tenant: string) =>
  Effect.gen(function*() {
    if (!IDENTITY_NAME.test(tenant)) return {} satisfies Quotas
    const { file, stateDir } = yield* fileOf(tenant)
    const found = yield* Effect.mapError(readJson(file, Quotas), toHostErrorOf(stateDir))
    return Option.match(found, { onNone: (): Quotas => ({}), onSome: ({ format: _, ...quotas }): Quotas => quotas })
  })

/** Changes the quotas of a tenant, from its next request on. */
export const writeQuotas = (tenant: string, quotas: Quotas) =>
  Effect.gen(function*() {
    const { file, stateDir } = yield* fileOf(tenant)
    yield* Effect.mapError(
      Effect.andThen(ensureFolder(path.dirname(file)), writeJsonAtomic(file, Quotas, { format: 1, ...quotas })),
      toHostErrorOf(stateDir)
    )
  })
