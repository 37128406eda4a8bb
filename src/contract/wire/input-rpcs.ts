import { Schema } from "effect"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcGroup from "effect/rpc/RpcGroup"

/** Header of a streaming request that names the input which flows beside it. */
export const INPUT_HEADER = "pyro-input"

/** Header of a request that goes on with an earlier one of the same exec id, whose connection was lost. */
export const RESUMED_HEADER = "pyro-resumed"

/** Header of a request whose command ends when the request does, also when the caller's connection is lost in its time to wait. */
export const ENDS_WITH_CALLER_HEADER = "pyro-ends-with-caller"

/** Most bytes of input in one request. */
export const INPUT_BYTES = 65_536

/** Names a request beside its own number on the connection: minted by the client. */
export const RequestId = Schema.String.pipe(Schema.check(Schema.isPattern(/^[0-9a-f]{32}$/)))
const id = RequestId

/** Bytes for the stdin of a running command. */
export const INPUT_WRITE = "input.write"

/** The check of the Schema, without the Schema. */
export const isInputBytes = (payload: unknown): payload is { readonly id: string; readonly bytes: Uint8Array } => {
  const { bytes, id } = (payload ?? {}) as { readonly id?: unknown; readonly bytes?: unknown }
  return typeof id === "string" && bytes instanceof Uint8Array && bytes.length <= INPUT_BYTES
}

/**
 * What flows into a running command: RPCs stream only towards the client, so input goes as requests of their own, one outstanding
 * at a time, each answered when the command is ready for more.
 */
export const InputRpcs = RpcGroup.make(
  Rpc.make(INPUT_WRITE, {
    payload: Schema.Struct({
      id,
      bytes: Schema.Uint8Array.pipe(Schema.check(Schema.makeFilter((all) => all.length <= INPUT_BYTES)))
    })
  }),
  Rpc.make("input.end", { payload: Schema.Struct({ id }) }),
  Rpc.make("input.interrupt", { payload: Schema.Struct({ id }) }),
  Rpc.make("input.resize", {
    payload: Schema.Struct({ id, rows: Schema.Int, cols: Schema.Int })
  })
)
