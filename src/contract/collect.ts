import { Effect, Stream } from "effect"
import { ChannelFailed, type PyroError } from "./errors.ts"
import type { Streaming } from "./operation.ts"
import { Pyro, type RunInput } from "./Pyro.ts"
import { run, type RunPayload, type RunResult } from "./operations/run.ts"

type AnyStreaming = Streaming<string, any, any, any>

/** Runs a streaming operation to its end and folds its events into its result. */
export const collect = <Row extends AnyStreaming, E, R>(
  row: Row,
  payload: ReturnType<Row["payload"]>["Type"],
  events: Stream.Stream<ReturnType<Row["event"]>["Type"], E, R>
): Effect.Effect<ReturnType<Row["result"]>["Type"], E | ChannelFailed, R> =>
  Effect.suspend(() => {
    const folding = row.fold(payload)
    return Stream.runForEach(events, (event) => Effect.sync(() => folding.add(event))).pipe(
      Effect.flatMap(() => {
        const result = folding.result()
        return result === undefined
          ? new ChannelFailed({ detail: `${row.name} ended without saying how` })
          : Effect.succeed(result)
      })
    )
  })

/** Runs a command to its end and returns what it printed, head and tail up to `maxBytes` of each stream. */
export const runCollected = (payload: RunPayload, input?: RunInput): Effect.Effect<RunResult, PyroError, Pyro> =>
  Effect.flatMap(Pyro, (pyro) => collect(run, payload, pyro.run(payload, input)))
