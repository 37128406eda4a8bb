import { Chunk, Effect, Layer, Mailbox, Option } from "effect"
import type { PyroError } from "../../src/contract/errors.ts"
import type { ExecEvent } from "../../src/contract/operations/workspace-exec.ts"
import { Pyro } from "../../src/contract/Pyro.ts"
import { Tellings } from "../../src/local/tellings.ts"
import type { Telling } from "../../src/workspace/exec/exec.ts"

type Pull = Effect.Effect<Chunk.Chunk<ExecEvent>, Option.Option<PyroError>>

/** What the daemon asks a fake for bit by bit, made of its stream. */
export const fakeTellings = Layer.effect(
  Tellings,
  Effect.map(
    Pyro,
    (pyro) => (payload, input) =>
      Effect.map(Mailbox.fromStream(pyro.workspace.exec(payload, input), { capacity: 16 }), (events): Telling => {
        let isOver = false
        const pull: Pull = Effect.suspend(() =>
          isOver ? Effect.fail(Option.none()) : Effect.flatMap(
            Effect.mapError(events.takeAll, Option.some),
            ([told, done]) => {
              isOver = done
              return told.length === 0 ? pull : Effect.succeed(told)
            }
          )
        )
        return (waitMs) =>
          waitMs === undefined ? pull : Effect.timeoutTo(pull, {
            duration: waitMs,
            onSuccess: (told) => told,
            onTimeout: () => Chunk.empty()
          })
      })
  )
)
