import { Effect } from "effect"
import type { RunInput } from "../../../contract/rows/run-input.ts"
import { identityOf, ownedId } from "../../../contract/wire/identity.ts"
import {
  ENDS_WITH_CALLER_HEADER,
  INPUT_HEADER,
  NO_OUTPUT_HEADER,
  NO_STDIN_HEADER,
  RESUMED_HEADER
} from "../../../contract/wire/rpcs.ts"
import type { Wrap } from "../wrap.ts"
import type { Request, RequestCall, Surroundings } from "./request.ts"

/** A stdin that no client writes or ends would let a command that reads it wait for ever. */
const withoutStdin = ({ stdin: _, writeStdin: _write, ...beside }: RunInput): RunInput => beside

/** The input of a request, and how the request may end. */
const inputOf = (headers: Request["headers"], { leaving, takeInput }: Pick<Surroundings, "leaving" | "takeInput">) =>
  Effect.suspend(() => {
    const minted = headers[INPUT_HEADER]
    const id = minted === undefined ? undefined : ownedId(identityOf(headers), minted)
    const known: RunInput = {
      resumed: headers[RESUMED_HEADER] !== undefined,
      endsWithCaller: headers[ENDS_WITH_CALLER_HEADER] !== undefined,
      withoutOutput: headers[NO_OUTPUT_HEADER] !== undefined,
      leaving
    }
    return id === undefined
      ? Effect.succeed(known)
      : Effect.map(takeInput(id), (flowing): RunInput => ({
        ...(headers[NO_STDIN_HEADER] === undefined ? flowing : withoutStdin(flowing)),
        ...known
      }))
  })

/**
 * Takes the stdin, signals and window sizes that the client sends beside a request with events.
 *
 * Needs the inputs of the daemon. Stands inside of `attended`: a refused request leaves its input to the next daemon.
 */
export const withInput: Wrap<RequestCall, Pick<Surroundings, "leaving" | "takeInput">> = {
  name: "input",
  does: "takes the stdin, signals and window sizes of the request",
  because: "inside of attended: a refused request takes no input",
  concerns: ({ kind }) => kind === "streaming",
  around: (_, call, serving) => (payload, request) =>
    Effect.flatMap(inputOf(request.headers, serving), (input) => call(payload, { ...request, input }))
}
