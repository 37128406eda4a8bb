import { type Effect } from "effect"
import { SeedRejected } from "../../contract/errors.ts"
import type { SeedFailed } from "../../disk/SeedImages.ts"
import type { PreparedSeed, PrepareServices, SeedRequest } from "./prepare.ts"

export const seedFromUrl = (
  request: SeedRequest & { readonly repoUrl: string },
  _work: { readonly folder: string; readonly namespaces: boolean }
): Effect.Effect<PreparedSeed, SeedFailed, PrepareServices> =>
  new SeedRejected({ path: request.repoUrl, detail: "not yet" })
