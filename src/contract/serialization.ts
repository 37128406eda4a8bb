import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Layer } from "effect"

/**
 * How requests and answers cross the daemon's socket: MessagePack, objects as maps. As records, msgpackr's default, each message would
 * bring the definitions of its own, which takes longer for the few small ones of a command. Client and daemon are one build.
 */
export const serialization = Layer.succeed(
  RpcSerialization.RpcSerialization,
  RpcSerialization.makeMsgPack({ useRecords: false })
)
