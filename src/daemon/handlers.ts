import type { Headers } from "@effect/platform/Headers"
import { Effect, Layer, Ref, Stream } from "effect"
import { ExecRpcs } from "../contract/exec-rpcs.ts"
import { INPUT_HEADER, InputRpcs, RESUMED_HEADER } from "../contract/input-rpcs.ts"
import { type Operation, operations } from "../contract/operations.ts"
import { callOf, Pyro, type PyroService, type RunInput } from "../contract/Pyro.ts"
import { makePyroRpcs } from "../contract/rpc.ts"
import { Tellings } from "../local/tellings.ts"
import { makeBeginnings } from "./beginnings.ts"
import { makeInputs } from "./inputs.ts"

/** What the handlers share with the daemon that has them. */
export interface Serving {
  /** How many requests are being served. */
  readonly active: Ref.Ref<number>
  /** Whether requests are ended because the daemon leaves, and not by their callers. */
  readonly leaving: Ref.Ref<boolean>
}

const counted = (active: Serving["active"]) =>
  Effect.acquireRelease(Ref.update(active, (count) => count + 1), () => Ref.update(active, (count) => count - 1))

type Handler = (payload: unknown, options: { readonly headers: Headers }) => unknown

/** What flows into a request, and what is known of how it ends. */
const inputOf = (inputs: ReturnType<typeof makeInputs>, headers: Headers, leaving: Serving["leaving"]) =>
  Effect.gen(function*() {
    const id = headers[INPUT_HEADER]
    const input: RunInput = {
      ...(id === undefined ? {} : yield* inputs.take(id)),
      resumed: headers[RESUMED_HEADER] !== undefined,
      leaving: Ref.get(leaving)
    }
    return input
  })

const handlerOf = (
  pyro: PyroService,
  row: Operation,
  inputs: ReturnType<typeof makeInputs>,
  { active, leaving }: Serving
): Handler => {
  const call = callOf(pyro, row)
  if (row.kind === "unary") {
    return (payload) => Effect.scoped(Effect.zipRight(counted(active), call(payload) as Effect.Effect<unknown>))
  }
  return (payload, { headers }) =>
    Stream.unwrapScoped(
      Effect.map(
        Effect.zipRight(counted(active), inputOf(inputs, headers, leaving)),
        (input) => call(payload, input) as Stream.Stream<unknown>
      )
    ).pipe(
      // The server sends one message per chunk, and one of more than 16 MiB ends the connection.
      Stream.rechunk(1)
    )
}

/** Every operation of the table, commands in two steps, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const pyro = yield* Pyro
    const exec = yield* Tellings
    const inputs = makeInputs()
    const beginnings = makeBeginnings(yield* Effect.scope)
    const rows = operations.map((row) => [row.name, handlerOf(pyro, row, inputs, serving)] as const)
    return Layer.mergeAll(
      makePyroRpcs().toLayer(Object.fromEntries(rows) as never),
      ExecRpcs.toLayer({
        "exec.begin": ({ id, request }, { headers }) =>
          beginnings.begin(
            id,
            Effect.flatMap(
              Effect.zipRight(counted(serving.active), inputOf(inputs, headers, serving.leaving)),
              (input) => exec(request, input)
            )
          ),
        "exec.rest": ({ id }) => beginnings.rest(id),
        "exec.drop": ({ id }) => beginnings.drop(id)
      }),
      InputRpcs.toLayer({
        "input.write": ({ bytes, id }) => inputs.write(id, bytes),
        "input.end": ({ id }) => inputs.end(id),
        "input.resize": ({ id, ...size }) => inputs.resize(id, size)
      })
    )
  }))
