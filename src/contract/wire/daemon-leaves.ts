import { Schema } from "effect"
import { PyroError } from "../errors/errors.ts"

/** What a daemon that has decided to leave answers: nothing of the request was begun, the next daemon can be asked. Clients only. */
export class DaemonLeaves extends Schema.TaggedError<DaemonLeaves>()("DaemonLeaves", {}) {}

/** How a request between client and daemon fails. */
export const RequestError = Schema.Union([PyroError, DaemonLeaves])
