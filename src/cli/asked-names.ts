import { Effect, Option } from "effect"
import type { OperationName, PayloadOf, ResultOf } from "../contract/rows/operations.ts"
import { payloadOf } from "../contract/rows/payload-of.ts"
import { askRunning } from "../sdk/client.ts"

// A completion may neither start a daemon nor wake a workspace.

/** Deadline of an answer: a person has typed TAB. */
const DEADLINE_MS = 1_000

const asked = <Name extends OperationName>(
  build: string,
  name: Name,
  payload: PayloadOf<Name>
): Effect.Effect<ResultOf<Name> | undefined> =>
  Effect.map(
    Effect.timeoutOption(askRunning(build, name, payload), DEADLINE_MS),
    (answer) => Option.getOrUndefined(Option.flatten(answer)) as ResultOf<Name> | undefined
  )

/** Names of the services of a workspace. */
export const servicesOf = (build: string, workspace: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(
    asked(build, "workspace.service.list", payloadOf("workspace.service.list", { workspace })),
    (listed) => (listed?.services ?? []).map(({ name }) => name)
  )

/** Names in a directory of a running workspace; directories end with a slash. A paused workspace stays paused. */
export const guestFilesOf = (
  build: string,
  workspace: string,
  directory: string
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const status = yield* asked(build, "workspace.status", payloadOf("workspace.status", { workspace }))
    if (status?.state !== "running") return []
    const listed = yield* asked(
      build,
      "workspace.file.list",
      payloadOf("workspace.file.list", { workspace, path: directory })
    )
    return (listed?.entries ?? []).flatMap(({ path, type }) => {
      // A path that is no plain text is in quotes.
      if (path.startsWith("\"")) return []
      const name = path.slice(path.lastIndexOf("/") + 1)
      return [type === "directory" ? `${name}/` : name]
    })
  })
