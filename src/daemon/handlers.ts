import type { Headers } from "@effect/platform/Headers"
import { Effect, Layer, Ref, type Scope, type Stream } from "effect"
import { beginName, DROP, restName, type StreamingRow, streamingRows } from "../contract/begin-rpcs.ts"
import { forCaller } from "../contract/caller-project.ts"
import type { PyroError } from "../contract/errors.ts"
import { INPUT_HEADER, RESUMED_HEADER } from "../contract/input-rpcs.ts"
import { named } from "../contract/names.ts"
import { callOf, Pyro, type PyroService, type RunInput, type WindowSize } from "../contract/Pyro.ts"
import { makePyroRpcs, type UnaryRow, unaryRows } from "../contract/rpc.ts"
import { Tellings } from "../local/tellings.ts"
import { type Telling, tellingOf } from "../system/telling.ts"
import type { Attendance } from "./attendance.ts"
import { type AnyEvent, makeBeginnings } from "./beginnings.ts"
import { demandAbsolutePaths } from "./host-paths.ts"
import { makeInputs } from "./inputs.ts"

/** What the handlers share with the daemon that has them. */
export interface Serving {
  readonly attendance: Attendance
  /** Whether requests are ended because the daemon leaves, and not by their callers. */
  readonly leaving: Ref.Ref<boolean>
}

/** What flows into a request, and what is known of how it ends. */
const inputOf = (inputs: ReturnType<typeof makeInputs>, headers: Headers, leaving: Serving["leaving"]) =>
  Effect.suspend(() => {
    const id = headers[INPUT_HEADER]
    const known: RunInput = { resumed: headers[RESUMED_HEADER] !== undefined, leaving: Ref.get(leaving) }
    return id === undefined
      ? Effect.succeed(known)
      : Effect.map(inputs.take(id), (flowing): RunInput => ({ ...flowing, ...known }))
  })

const unaryHandler = (pyro: PyroService, row: UnaryRow, { attendance }: Serving) => {
  const call = callOf(pyro, row)
  const demand = demandAbsolutePaths(row)
  return (payload: unknown, { headers }: { readonly headers: Headers }) =>
    Effect.scoped(
      Effect.zipRight(attendance.request, Effect.zipRight(demand(payload), call(payload) as Effect.Effect<unknown>))
    ).pipe(forCaller(headers))
}

/** Events bit by bit: commands can be asked that way, other operations run into a small store. */
const tellingsOf = (pyro: PyroService, exec: Tellings["Type"]) => (row: StreamingRow): TellAny => {
  if (row.name === "workspace.exec") return exec as TellAny
  const call = callOf(pyro, row)
  return (payload, input) => tellingOf(call(payload, input) as Stream.Stream<AnyEvent, PyroError>)
}

type TellAny = (
  payload: unknown,
  input: RunInput
) => Effect.Effect<Telling<AnyEvent, PyroError>, PyroError, Scope.Scope>

/** What `begin` and `rest` of an operation with events do. */
const beginningHandlers = (
  tell: (row: StreamingRow) => TellAny,
  inputs: ReturnType<typeof makeInputs>,
  beginnings: ReturnType<typeof makeBeginnings>,
  { attendance, leaving }: Serving
) => {
  type Named = { readonly id: string; readonly request: unknown }
  const begin = (row: StreamingRow) => {
    const start = tell(row)
    const demand = demandAbsolutePaths(row)
    return ({ id, request }: Named, { headers }: { readonly headers: Headers }) =>
      beginnings.begin(
        id,
        Effect.flatMap(
          Effect.zipRight(attendance.request, inputOf(inputs, headers, leaving)),
          (input) => Effect.zipRight(demand(request), start(request, input))
        )
      ).pipe(forCaller(headers))
  }
  const rest = ({ id }: Named) => beginnings.rest(id)
  const handlers = streamingRows.flatMap((row) => [[beginName(row), begin(row)], [restName(row), rest]] as const)
  return { ...named<unknown>(handlers), [DROP]: ({ id }: Named) => beginnings.drop(id) }
}

/** Every operation of the table, and the input of commands, served by `Pyro`. */
export const handlers = (serving: Serving) =>
  Layer.unwrapScoped(Effect.gen(function*() {
    const pyro = yield* Pyro
    const tell = tellingsOf(pyro, yield* Tellings)
    const inputs = makeInputs()
    const beginnings = makeBeginnings(yield* Effect.scope)
    return makePyroRpcs().toLayer({
      ...named(unaryRows.map((row) => [row.name, unaryHandler(pyro, row, serving)] as const)),
      ...beginningHandlers(tell, inputs, beginnings, serving),
      "input.write": ({ bytes, id }: { readonly id: string; readonly bytes: Uint8Array }) => inputs.write(id, bytes),
      "input.end": ({ id }: { readonly id: string }) => inputs.end(id),
      "input.interrupt": ({ id }: { readonly id: string }) => inputs.interrupt(id),
      "input.resize": ({ id, ...size }: { readonly id: string } & WindowSize) => inputs.resize(id, size)
    } as never)
  }))
