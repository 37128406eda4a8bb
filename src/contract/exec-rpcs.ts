import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import { Schema } from "effect"
import { PyroError } from "./errors.ts"
import { RequestId } from "./input-rpcs.ts"
import { lazy } from "./operation.ts"
import { ExecEvent, ExecPayload } from "./operations/workspace-exec.ts"

/** How a command began: all that is to be told of it, or the first of it. */
const Beginning = Schema.Struct({
  events: Schema.Array(Schema.suspend(() => ExecEvent())),
  /** More follows, and is kept for `exec.rest` of the same id. */
  more: Schema.Boolean
})

const Request = lazy(() => Schema.Struct({ id: RequestId, request: ExecPayload() }))

/**
 * `workspace.exec` in two steps. Most commands are over in no time, and a stream of three events costs as much as the command: the
 * first request is answered when the command has ended, or is told to take a while.
 */
export const ExecRpcs = RpcGroup.make(
  Rpc.make("exec.begin", {
    // Suspended: a bare Struct is validated by the client before it is encoded.
    payload: Schema.suspend(() => Request()),
    success: Beginning,
    error: PyroError
  }),
  Rpc.make("exec.rest", {
    payload: Schema.Struct({ id: RequestId }),
    success: Schema.suspend(() => ExecEvent()),
    error: PyroError,
    stream: true
  }),
  /** Whoever began it does not want the rest. */
  Rpc.make("exec.drop", { payload: Schema.Struct({ id: RequestId }) })
)
