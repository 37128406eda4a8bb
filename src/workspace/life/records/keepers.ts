import { Effect } from "effect"
import { recordedWorkspaces } from "./recorded.ts"
import { readAllSaved } from "./saved.ts"

/**
 * Who has a link to an image with one of these digests: workspaces by name or id, and saved snapshots as `saved NAME`. A builder ends by itself and is
 * left out.
 */
export const keepersOf = (digests: ReadonlySet<string>) =>
  Effect.gen(function*() {
    const workspaces = yield* recordedWorkspaces
    const saved = yield* Effect.orElseSucceed(readAllSaved, () => [])
    return [
      ...workspaces.filter(({ builder, environment }) => builder === undefined && digests.has(environment.digest))
        .map(({ id, name }) => name ?? id),
      ...saved.filter(({ record }) => digests.has(record.workspace.environment.digest))
        .map(({ record }) => `saved ${record.name}`)
    ]
  })
