import type { GuestString } from "../model/guest-string.ts"
import {
  bytes,
  type Field,
  id16,
  list,
  offset,
  type Reader,
  rest,
  str,
  struct,
  u16,
  u32,
  u64,
  u8,
  type Writer
} from "./control.ts"

export const PROTOCOL_VERSION = 1
/** Stream of the frames that are about the connection itself. */
export const CONNECTION = 0
/** Calls are numbered from here up, streams below. */
export const FIRST_CALL = 0x8000_0000
/** Input bytes that the host may send ahead of the last ACK_IN. */
export const INPUT_CREDIT_BYTES = 65_536
/** The same for a connection of the guest to the outside: 64 KiB would halve the speed of a download. */
const NETWORK_CREDIT_BYTES = 1_048_576
/** Maximum credit that the host accepts if an agent reports the credit of a stream. */
export const MAX_REPORTED_CREDIT_BYTES = NETWORK_CREDIT_BYTES

export interface Message<A> {
  readonly kind: number
  readonly fields: Field<A>
}
const message = <A>(kind: number, fields: Field<A>): Message<A> => ({ kind, fields })

/** The user whose rights a request about files has, with the flag `asUser`. Without it the request has the form that older agents know. */
const userOrNone: Field<GuestString | undefined> = {
  write: (to, value) => {
    if (value !== undefined) str.write(to, value)
  },
  read: (from) => from.left === 0 ? undefined : str.read(from)
}

/** Messages of the host. */
export const HostMessage = {
  /** flags: 1 kill and forget every stream first, 2 report the handled bytes (TAKEN) */
  Hello: message(0x01, struct({ nonce: id16, version: u32, flags: u8 })),
  /** the frame's stream is the call's id; the op's own fields follow */
  Call: message(0x02, struct({ op: u8, fields: rest })),
  /** flags: 1 pty, 2 stdin open; window in `bytes` per output; 0 = no limit */
  Spawn: message(
    0x03,
    struct({
      id: id16,
      window: u32,
      flags: u8,
      rows: u16,
      cols: u16,
      user: str,
      cwd: str,
      argv: list(str),
      env: list(str),
      memoryMax: offset,
      pidsMax: offset
    })
  ),
  DataIn: message(0x04, struct({ offset, data: rest })),
  EndIn: message(0x05, struct({ offset })),
  Ack: message(0x06, struct({ output: u8, offset })),
  /** target: 0 main process, 1 its (foreground) group, 2 everything it started */
  Signal: message(0x07, struct({ target: u8, signal: u32 })),
  Resize: message(0x08, struct({ rows: u16, cols: u16 })),
  Release: message(0x09, struct({})),
  /** limit 0 = to the end; flags: 1 report the state of the file before its content, 2 the path may be a block device, 4 in the root, 8 as a user */
  Read: message(
    0x0a,
    struct({ id: id16, window: u32, root: str, path: str, offset, limit: offset, flags: u8, user: userOrNone })
  ),
  /** flags: 1 create parents, 2 exclusive, 4 append, 8 follow a link, 16 report the state, 32 in the root, 64 as a user; expected 0 = any version; 128: expected is the file's time of modification in ns */
  Write: message(
    0x0b,
    struct({ id: id16, root: str, path: str, mode: u32, flags: u8, expected: u64, user: userOrNone })
  ),
  /** flags: 2 report extended attributes, 4 in the root, 8 as a user */
  Walk: message(
    0x0c,
    struct({ id: id16, window: u32, root: str, path: str, maxDepth: u32, flags: u32, user: userOrNone })
  ),
  /** family: 4 = 127.0.0.1, 6 = ::1 */
  Connect: message(0x0d, struct({ id: id16, window: u32, family: u8, port: u16 })),
  /** skip: a name to ignore on both sides, whatever its case, empty = none; flags: 1 compare contents of files with the same metadata, too */
  Compare: message(
    0x0e,
    struct({
      id: id16,
      window: u32,
      oldRoot: str,
      oldPath: str,
      newRoot: str,
      newPath: str,
      skip: str,
      flags: u32
    })
  ),
  /** limit in `bytes` of each file */
  ReadMany: message(0x0f, struct({ id: id16, window: u32, root: str, limit: offset, paths: list(str) })),
  /** the input has the changes */
  Change: message(0x10, struct({ id: id16, root: str })),
  /** accepts a connect request of the guest, whose connection becomes this stream */
  Accept: message(0x11, struct({ id: id16, window: u32, request: u32 })),
  /** answer: a number of `RequestAnswer`; count and records: complete resource records for `records`, else none */
  Answer: message(0x12, struct({ request: u32, answer: u8, count: u16, records: bytes })),
  /** op: a number of `FileOp`; target: of a rename or copy, else empty; mode 0 = the usual one; flags: `FileFlag`; user empty = root */
  File: message(
    0x13,
    struct({
      id: id16,
      window: u32,
      op: u8,
      root: str,
      path: str,
      target: str,
      mode: u32,
      flags: u32,
      user: str
    })
  ),
  /** flags: `WatchFlag`; user empty = root */
  Watch: message(0x14, struct({ id: id16, window: u32, root: str, path: str, flags: u32, user: str }))
} as const

/** How an ended stream ended: the tag and payload of its FAILED or EXITED frame, present when `phase` is 2. */
const endOfState: Field<{ readonly tag: number; readonly payload: Uint8Array } | undefined> = {
  write: (to: Writer, value) => {
    if (value === undefined) return
    to.u8(value.tag)
    bytes.write(to, value.payload)
  },
  read: (from: Reader) => from.left === 0 ? undefined : { tag: from.u8(), payload: bytes.read(from) }
}

/** Messages of the agent. */
export const AgentMessage = {
  /** nextStream: lowest number never used in this generation; streams: how many STATE frames follow */
  Hello: message(0x81, struct({ nonce: id16, version: u32, build: str, nextStream: u32, streams: u32 })),
  /** the op's result follows if errno is 0 */
  Result: message(0x82, struct({ errno: u32, detail: str, result: rest })),
  Started: message(0x83, struct({ pid: u32 })),
  Failed: message(0x84, struct({ errno: u32, step: u8, detail: str })),
  DataOut: message(0x85, struct({ output: u8, offset, data: rest })),
  EndOut: message(0x86, struct({ output: u8, offset })),
  /** how: 0 exited, 1 signaled, 2 killed for want of memory */
  Exited: message(0x87, struct({ how: u8, code: u32, durationNs: u64 })),
  AckIn: message(0x88, struct({ offset })),
  /** phase: 1 running, 2 ended */
  State: message(
    0x89,
    struct({
      id: id16,
      opener: u8,
      phase: u8,
      pid: u32,
      window: u32,
      inOffset: offset,
      acked1: offset,
      acked2: offset,
      end: endOfState
    })
  ),
  /** level: a number of `EventLevel` */
  Event: message(0x8a, struct({ level: u8, text: str })),
  /**
   * what: a number of `RequestKind`; address: 4 or 16 bytes, none for a look-up; port: of the connection, or the look-up's record type;
   * name: the one that the guest's program looked up, empty for a literal address
   */
  Request: message(0x8b, struct({ request: u32, what: u8, address: bytes, port: u16, name: str })),
  /** the guest's program gave up */
  Withdraw: message(0x8c, struct({ request: u32 })),
  /** bytes of the frames since HELLO that the agent has handled */
  Taken: message(0x8d, struct({ bytes: offset }))
} as const

/** Requests of the guest's programs for the network. */
export const RequestKind = { connect: 1, resolve: 2, datagrams: 3 } as const

/** Answers to requests. A request to connect or for datagrams is refused or accepted, a look-up gets one of the others. */
export const RequestAnswer = {
  refused: 1,
  address: 2,
  noData: 3,
  noSuchName: 4,
  serverFailure: 5,
  records: 6
} as const

/** Steps a FAILED frame can name, by their number. */
export const failedSteps = ["", "user", "cwd", "exec", "cgroup", "pty", "open", "io", "limit", "malformed"] as const

export const SpawnFlag = { pty: 1, stdin: 2, merged: 4 } as const
export const CompareFlag = { content: 1 } as const
export const WalkFlag = { attributes: 2, inRoot: 4, asUser: 8 } as const
export const ReadFlag = { report: 1, device: 2, inRoot: 4, asUser: 8 } as const
export const WriteFlag = {
  createParents: 1,
  exclusive: 2,
  append: 4,
  follow: 8,
  report: 16,
  inRoot: 32,
  asUser: 64,
  atTime: 128
} as const
export const FileOp = { stat: 1, mkdir: 2, remove: 3, rename: 4, copy: 5, chmod: 6 } as const
export const FileFlag = { inRoot: 1, createParents: 2, recursive: 4, replace: 8, follow: 16 } as const
export const WatchFlag = { inRoot: 1, recursive: 2 } as const
export const SignalTarget = { main: 0, group: 1, everything: 2, command: 3 } as const
export const HelloFlag = { forget: 1, reportTaken: 2 } as const

/** Data of a stream, by its opener. A process on a terminal has no second output. */
export const flows = {
  spawn: { kind: HostMessage.Spawn.kind, outputs: [1, 2], input: true },
  read: { kind: HostMessage.Read.kind, outputs: [1], input: false },
  write: { kind: HostMessage.Write.kind, outputs: [1], input: true, reportsCredit: true },
  walk: { kind: HostMessage.Walk.kind, outputs: [1], input: false },
  connect: { kind: HostMessage.Connect.kind, outputs: [1], input: true, reportsCredit: true },
  compare: { kind: HostMessage.Compare.kind, outputs: [1], input: false },
  file: { kind: HostMessage.File.kind, outputs: [1], input: false },
  watch: { kind: HostMessage.Watch.kind, outputs: [1], input: false },
  readMany: { kind: HostMessage.ReadMany.kind, outputs: [1], input: false },
  change: { kind: HostMessage.Change.kind, outputs: [1], input: true, reportsCredit: true },
  accept: { kind: HostMessage.Accept.kind, outputs: [1], input: true, credit: NETWORK_CREDIT_BYTES }
} as const
export type OpenerKind = keyof typeof flows
