import type { Headers } from "@effect/platform/Headers"
import { Effect, Layer, Ref, Stream } from "effect"
import { INPUT_HEADER, InputRpcs, RESUMED_HEADER } from "../contract/input-rpcs.ts"
import { type Operation, operations } from "../contract/operations.ts"
import { callOf, Pyro, type PyroService, type RunInput } from "../contract/Pyro.ts"
import { makePyroRpcs } from "../contract/rpc.ts"
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
    Stream.unwrapScoped(Effect.gen(function*() {
      yield* counted(active)
      const id = headers[INPUT_HEADER]
      const input: RunInput = {
        ...(id === undefined ? {} : yield* inputs.take(id)),
        resumed: headers[RESUMED_HEADER] !== undefined,
        leaving: Ref.get(leaving)
      }
      return call(payload, input) as Stream.Stream<unknown>
    })).pipe(
      // The server sends one message per chunk, and one of more than 16 MiB ends the connection.
      Stream.rechunk(1)
    )
}

/** Every operation of the table, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrapEffect(Effect.gen(function*() {
    const pyro = yield* Pyro
    const inputs = makeInputs()
    const rows = operations.map((row) => [row.name, handlerOf(pyro, row, inputs, serving)] as const)
    return Layer.merge(
      makePyroRpcs().toLayer(Object.fromEntries(rows) as never),
      InputRpcs.toLayer({
        "input.write": ({ bytes, id }) => inputs.write(id, bytes),
        "input.end": ({ id }) => inputs.end(id),
        "input.resize": ({ id, ...size }) => inputs.resize(id, size)
      })
    )
  }))
