import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { Layer } from "effect"
import { addExtension } from "msgpackr"
import { named, NamedClass } from "./names.ts"

/**
 * Names that someone else chose cross as pairs: msgpackr gives an object's key `__proto__` another name. The number is this class's own
 * (0x4e, 'N') among those that MessagePack leaves to programs.
 */
addExtension({
  Class: NamedClass,
  type: 0x4e,
  write: (value: Readonly<Record<string, unknown>>) => Object.entries(value),
  read: (entries: ReadonlyArray<readonly [string, unknown]>) => named(entries)
})

/**
 * How requests and answers cross the daemon's socket: MessagePack, objects as maps. As records, msgpackr's default, each message would
 * bring the definitions of its own, which takes longer for the few small ones of a command. Client and daemon are one build.
 */
export const serialization = Layer.succeed(
  RpcSerialization.RpcSerialization,
  RpcSerialization.makeMsgPack({ useRecords: false })
)
