import type { Effect } from "effect"
import type { DiallerService } from "../../../network/Dialler.ts"
import type { Rules } from "../../../network/policy.ts"
import type { HeaderSecrets } from "../header-secret/header-secrets.ts"
import type { PackageCaching } from "../package-cache/package-cache.ts"
import type { LiveConnection } from "./live.ts"
import type { NewRecord } from "./log.ts"
import type { Pace } from "./pace.ts"

/** What the connections of one guest share. */
export interface Connecting {
  readonly dialler: DiallerService
  /** Name of the guest for the fairness of the dialler. */
  readonly group: string
  /** The rules in force now. */
  readonly rules: () => Rules
  readonly live: Set<LiveConnection>
  readonly record: (record: NewRecord) => Effect.Effect<void>
  readonly pace: Pace
  /** How connections to a host get secrets. */
  readonly interceptionOf: HeaderSecrets["interceptionOf"]
  readonly placeholders: HeaderSecrets["placeholders"]
  readonly caching: PackageCaching
}
