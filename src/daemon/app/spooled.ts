import { Effect, Stream } from "effect"
import { InvalidRequest } from "../../contract/errors/errors.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { SpoolPutPayload, SpoolTakePayload } from "../../contract/rows/spool.ts"
import { spoolHere } from "../spool/spool.ts"

/** Keeps the files that a client of another machine sends. */
export const putSpooled = (_: SpoolPutPayload, input?: RunInput) =>
  Stream.unwrap(Effect.flatMap(spoolHere, (spool) =>
    input?.stdin === undefined
      ? Effect.fail(new InvalidRequest({ field: "", detail: "the files come as the input of the request" }))
      : Effect.succeed(spool.put(input.stdin))))

/** The bytes of a file that a request has written to the spool. */
export const takeSpooled = ({ id }: SpoolTakePayload) => Stream.unwrap(Effect.map(spoolHere, (spool) => spool.take(id)))

/** Removes files from the spool. */
export const dropSpooled = ({ id }: SpoolTakePayload) =>
  Effect.map(Effect.flatMap(spoolHere, (spool) => spool.drop(id)), (removed) => ({ removed }))
