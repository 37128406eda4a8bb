import { Effect, Ref } from "effect"
import { Pyro } from "../contract/rows/Pyro.ts"
import type { NetworkRecord } from "../contract/rows/workspace-network.ts"
import { note, warn } from "./print.ts"
import { Terminal } from "./terminal.ts"

const LIMIT = 100

/** Why the agent's API was not reached, if an entry of the network log says so. */
const failureOf = (api: string, { host, outcome, reason }: NetworkRecord): string | undefined =>
  outcome === "allowed" || host.toLowerCase() !== api
    ? undefined
    : `${host} cannot be reached${reason === undefined ? "" : `: ${reason}`}`

/** The first failure that the workspace's network log has behind an entry. Waits for it. */
const firstFailure = (workspace: string, api: string) =>
  Effect.gen(function*() {
    const pyro = yield* Pyro
    const read = (cursor: number | undefined, follow: boolean) =>
      pyro.workspace.network.log({
        workspace,
        denied: false,
        limit: LIMIT,
        follow,
        ...(cursor === undefined ? {} : { cursor })
      })
    const { entries: earlier } = yield* read(undefined, false)
    let cursor = earlier.at(-1)?.number ?? 0
    while (true) {
      const { entries } = yield* read(cursor, true)
      const failure = entries.map((entry) => failureOf(api, entry)).find((found) => found !== undefined)
      if (failure !== undefined) return failure
      cursor = entries.at(-1)?.number ?? cursor
    }
  })

/** A line at the top of a full screen; the agent draws over it when it needs the place. */
const onScreen = (text: string, cols: number) =>
  `\u001b7\u001b[1;1H\u001b[0;7m ${text.slice(0, cols - 2)} \u001b[0m\u001b8`

/**
 * Runs an agent, and says at the first failure that its API cannot be reached, and why: agents try again for minutes, and then name no reason. On
 * a full screen, the sentence stands in the first line, and once more behind the end.
 */
export const withApiWatch = <A, E, R>(
  { isAttached, workspace, allowHost }: {
    readonly workspace: string
    readonly allowHost: string
    readonly isAttached: boolean
  },
  run: Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { size, writeStderr } = yield* Terminal
    const said = yield* Ref.make<string | undefined>(undefined)
    const watch = Effect.gen(function*() {
      const failure = yield* firstFailure(workspace, allowHost.replace(/:\d+$/, "").toLowerCase())
      const text = `pyro: ${failure}. See: pyro network log ${workspace}`
      yield* Ref.set(said, text)
      yield* isAttached ? writeStderr(onScreen(text, (yield* size).cols)) : warn(`${text}\n`)
    })
    const ended = yield* Effect.exit(
      Effect.acquireUseRelease(
        Effect.forkDetach(Effect.ignore(watch)),
        () => run,
        (watching) => Effect.sync(() => watching.interruptUnsafe())
      )
    )
    const text = yield* Ref.get(said)
    if (isAttached && text !== undefined) {
      yield* note(`${text}\n`)
    }
    return yield* ended
  })
