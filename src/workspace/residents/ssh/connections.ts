import { Effect, Option, Semaphore, Stream } from "effect"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import type { SshProxyEvent } from "../../../contract/rows/workspace-ssh.ts"
import { serveSsh, type SshGuest } from "../../../lib/ssh/serve.ts"
import type { NewEvent } from "../../entry/events.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"
import { keysOf } from "./keys.ts"
import { makeVisits, type VisitConnection } from "./visits.ts"

type Events = ReadonlyArray<SshProxyEvent>
const none: Events = []

/** The SSH connections of one workspace. */
export type Ssh = Effect.Success<ReturnType<typeof makeSsh>>

export const makeSsh = (folder: WorkspaceFolder, record: (event: NewEvent) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const one = yield* Semaphore.make(1)
    const keys = one.withPermits(1)(keysOf(folder))
    const visits = yield* makeVisits(record)
    let open = 0

    /**
     * Serves the connection of one client until its end, or the end of the Scope. `lost` never succeeds, and fails when the VM has ended.
     */
    const serve = <E>(
      guest: SshGuest,
      lost: Effect.Effect<never, E>,
      { stdin }: RunInput
    ) =>
      Effect.gen(function*() {
        const { clientLine, hostKey } = yield* keys
        let visit: VisitConnection | undefined
        let sentBytes = 0
        let isOver = false
        yield* Effect.acquireRelease(
          Effect.sync(() => void open++),
          () =>
            Effect.suspend(() => {
              open--
              return visit?.ended(sentBytes) ?? Effect.void
            })
        )
        const { pull, reason } = yield* serveSsh({
          hostKey,
          clientKey: clientLine,
          guest: {
            ...guest,
            start: (program) => Effect.andThen(visit?.session ?? Effect.void, guest.start(program))
          },
          input: stdin ?? Stream.empty,
          opened: (user) => Effect.map(visits.opened(user), (opened) => void (visit = opened))
        })
        return (waitMs: number | undefined) =>
          isOver ? Effect.fail(Option.none()) : Effect.raceFirst(
            Effect.match(pull(waitMs), {
              onFailure: (): Events => {
                isOver = true
                const why = reason()
                return [{ _tag: "Ended", sentBytes, ...(why === undefined ? {} : { reason: why }) }]
              },
              onSuccess: (bytes): Events => {
                if (bytes === undefined) return none
                sentBytes += bytes.length
                return [{ _tag: "Output", bytes }]
              }
            }),
            Effect.mapError(lost, Option.some)
          )
      })

    const { begins, knowsFromMs, usedSince } = visits
    const isUsedSince = (ms: number) => open > 0 || usedSince(ms)
    return { keys, serve, count: () => open, begins, knowsFromMs, usedSince: isUsedSince }
  })
