import { Effect, Option, Stream } from "effect"
import type { PyroError } from "../contract/errors/errors.ts"
import { callFromFirst, type FirstEvents } from "../contract/rows/event-batches.ts"
import type { StreamingRow } from "../contract/wire/event-rpcs.ts"
import { INPUT_HEADER } from "../contract/wire/input-rpcs.ts"
import { mintedHeaders } from "../contract/wire/minted-ids.ts"
import { newRequestId } from "../system/processes/identity.ts"
import { sinkOf } from "./exec.ts"
import { firstEvents } from "./first-events.ts"
import { makeInputBuffer } from "./input-buffer.ts"
import { makeMinted, type Makes } from "./made-workspaces.ts"
import { type Client, type ConnectionLost, isLost, lost, type Session } from "./session.ts"
import { AGAIN } from "./unary.ts"

type Failure = PyroError | ConnectionLost

/** Reports a lost connection, and gives the meaning of the failure. */
const notedBy = (session: Session, client: Client) => (failure: Failure): Effect.Effect<never, Failure> =>
  isLost(failure) ? Effect.flip(session.failed(client, failure)) : Effect.fail(failure)

const notDone = (failure: Failure) => isLost(failure) && !failure.mayBeDone

/** Work with events. Ends with its daemon. */
export const streaming = (session: Session, row: StreamingRow) => {
  const { makes } = row as { readonly makes?: Makes }
  return makes === undefined ? ending(session, row) : making(session, row, makes)
}

const ending = (session: Session, row: StreamingRow) =>
  callFromFirst<unknown, unknown>((payload, input) =>
    Effect.gen(function*() {
      const inputBuffer = input === undefined ? undefined : yield* makeInputBuffer(input)
      const once = Effect.gen(function*() {
        const client = yield* session.client
        const id = newRequestId()
        if (inputBuffer !== undefined) yield* inputBuffer(sinkOf(client, id), 0)
        const noted = notedBy(session, client)
        const first = firstEvents<unknown>(
          client,
          row,
          payload,
          inputBuffer === undefined ? {} : { [INPUT_HEADER]: id }
        )
        const { events, next, rest } = yield* Effect.catch(first, noted)
        const notedNext = next && Effect.catch(
          next,
          Option.match({
            onNone: () => Effect.fail(Option.none()),
            onSome: (failure) => Effect.mapError(noted(failure), (why) => Option.some(lostIn(row)(why)))
          })
        )
        return {
          events,
          rest: rest &&
            Stream.mapError(Stream.catch(rest, (failure) => Stream.fromEffect(noted(failure))), lostIn(row)),
          ...(notedNext === undefined ? {} : { next: notedNext })
        }
      })
      return yield* Effect.mapError(Effect.retry(once, { times: AGAIN, while: notDone }), lostIn(row))
    })
  )

const lostIn = ({ endsWithConnection }: { readonly endsWithConnection?: true }) => (failure: Failure) =>
  !isLost(failure)
    ? failure
    : lost(
      endsWithConnection
        ? "in the middle of the run, which ended with it"
        : "before it was done; look at what is there"
    )

/** Work that makes workspaces. A lost answer is found again; the workspaces of an unreadable one are removed. */
const making = (session: Session, row: StreamingRow, { count, done }: Makes) =>
  callFromFirst<unknown, unknown>((payload) =>
    Effect.gen(function*() {
      const { find, ids, removeAfter } = makeMinted(session, count(payload as never))
      const found = Effect.map(find, (workspaces): FirstEvents<unknown> => ({
        events: [done(workspaces as never)],
        rest: undefined
      }))
      const foundAfter = (failure: Failure): Effect.Effect<FirstEvents<unknown>, PyroError> =>
        isLost(failure) ? found : Effect.fail(failure)
      const once = Effect.gen(function*() {
        const client = yield* session.client
        const noted = notedBy(session, client)
        const first = firstEvents<unknown>(client, row, payload, mintedHeaders(ids))
        const { events, rest } = yield* Effect.catch(first, noted)
        const foundRest = rest && rest.pipe(
          Stream.catch((failure) => Stream.fromEffect(noted(failure))),
          Stream.catch((failure) =>
            Stream.fromIterableEffect(Effect.map(foundAfter(failure), (found) => found.events))
          ),
          Stream.tapCause((cause) => removeAfter(cause))
        )
        return { events, rest: foundRest } satisfies FirstEvents<unknown>
      })
      return yield* Effect.retry(once, { times: AGAIN, while: notDone }).pipe(
        Effect.catch(foundAfter),
        Effect.tapCause((cause) => removeAfter(cause))
      )
    })
  )
