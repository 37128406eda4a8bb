/**
 * The wire of the guest channel, for what stands at its other end: scripted, recording and hostile agents, and hosts that send what pyro
 * never does. Only this file and the unit tests of the encoding know the frames; the product has no door to them.
 */
export {
  bytes,
  decodePayload,
  encodeControl,
  encodePayload,
  type Field,
  offset,
  rest,
  str,
  struct,
  u32,
  u64,
  u8
} from "../../../src/lib/guest-channel/wire/control.ts"
export {
  encodeFrame,
  END,
  FrameDecoder,
  type FrameSink,
  HEADER_BYTES,
  MARK,
  MAX_FRAME_BYTES,
  TAKEOVER_FILLER_BYTES
} from "../../../src/lib/guest-channel/wire/frame.ts"
export { HelloSearch } from "../../../src/lib/guest-channel/wire/hello.ts"
export {
  AgentMessage,
  CONNECTION,
  FIRST_CALL,
  HelloFlag,
  HostMessage,
  type Message,
  RequestAnswer
} from "../../../src/lib/guest-channel/wire/messages.ts"
