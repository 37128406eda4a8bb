import { Calls } from "../../../../src/lib/guest-channel/model/calls.ts"
import {
  decodePayload,
  encodeControl,
  type Field,
  str,
  struct,
  u32
} from "../../../../src/lib/guest-channel/wire/control.ts"
import { AgentMessage, FIRST_CALL, HostMessage } from "../../../../src/lib/guest-channel/wire/messages.ts"

/** One golden frame: its fields, the frame they encode to, and the way back. */
export interface Sample {
  readonly name: string
  readonly direction: "host" | "agent"
  readonly kind: number
  readonly stream: number
  readonly fields: unknown
  readonly frame: Buffer
  readonly decode: (payload: Buffer) => unknown
}

const sample = <A>(
  name: string,
  stream: number,
  message: { readonly kind: number; readonly fields: Field<A> },
  fields: NoInfer<A>
): Sample => ({
  name,
  direction: message.kind < 0x80 ? "host" : "agent",
  kind: message.kind,
  stream,
  fields,
  frame: encodeControl(stream, message.kind, message.fields, fields),
  decode: (payload) => decodePayload(message.fields, payload)
})

let calls = 0
/** A call with its op's own fields, and the agent's answer to it. */
const call = <F, A>(
  op: {
    readonly op: number
    readonly request: Field<{ readonly op: number; readonly request: F }>
    readonly result: Field<A>
  },
  name: string,
  fields: NoInfer<F>,
  result: NoInfer<A>
): ReadonlyArray<Sample> => {
  const id = FIRST_CALL + calls++
  const request = { kind: HostMessage.Call.kind, fields: op.request }
  const answer = { kind: AgentMessage.Result.kind, fields: struct({ errno: u32, detail: str, result: op.result }) }
  return [
    sample(`call-${name}`, id, request, { op: op.op, request: fields }),
    sample(`result-${name}`, id, answer, { errno: 0, detail: text(""), result })
  ]
}

const ascending = (bytes: number, from = 0) => Uint8Array.from({ length: bytes }, (_, i) => (from + i) & 0xff)
const text = (value: string) => Buffer.from(value)
const id = ascending(16, 0x10)
const notUtf8 = Uint8Array.of(0x2f, 0x66, 0xff, 0xfe)
const exited = { how: 0, code: 7, durationNs: 12_345_678n }

const spawn = {
  id,
  window: 1_048_576,
  flags: 2,
  rows: 0,
  cols: 0,
  user: text(""),
  cwd: text("/workspace"),
  argv: ["sh", "-c", "exit 7"].map(text),
  env: ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"].map(text),
  memoryMax: 0,
  pidsMax: 0
}
const limited = { ...spawn, flags: 3, rows: 24, cols: 80, user: text("agent"), memoryMax: 5_000_000_000, pidsMax: 512 }
const running = { id, opener: 3, phase: 1, pid: 42, window: 1_048_576, inOffset: 11, acked1: 4_294_967_301, acked2: 3 }
const endPayload = sample("", 1, AgentMessage.Exited, exited).frame.subarray(9, -1)

export const samples: ReadonlyArray<Sample> = [
  sample("hello", 0, HostMessage.Hello, { nonce: id, version: 1, flags: 0 }),
  sample("hello-forget", 0, HostMessage.Hello, { nonce: id, version: 1, flags: 1 }),
  sample("spawn", 1, HostMessage.Spawn, spawn),
  sample("spawn-pty-limits", 2, HostMessage.Spawn, limited),
  sample("spawn-empty", 0x7fff_ffff, HostMessage.Spawn, { ...spawn, argv: [], env: [] }),
  sample("data-in", 1, HostMessage.DataIn, { offset: 4_294_967_296, data: text("to the command\n") }),
  sample("data-in-largest", 1, HostMessage.DataIn, { offset: 0, data: ascending(65_518) }),
  sample("end-in", 1, HostMessage.EndIn, { offset: 4_294_967_311 }),
  sample("ack", 1, HostMessage.Ack, { output: 2, offset: 262_144 }),
  sample("signal", 1, HostMessage.Signal, { target: 1, signal: 15 }),
  sample("signal-command", 1, HostMessage.Signal, { target: 3, signal: 10 }),
  sample("resize", 2, HostMessage.Resize, { rows: 50, cols: 132 }),
  sample("release", 1, HostMessage.Release, {}),
  sample("read", 3, HostMessage.Read, {
    id,
    window: 65_536,
    root: text("/"),
    path: notUtf8,
    offset: 10,
    limit: 0,
    flags: 1,
    user: undefined
  }),
  sample("read-as-user", 3, HostMessage.Read, {
    id,
    window: 65_536,
    root: text("/"),
    path: text("etc/passwd"),
    offset: 0,
    limit: 0,
    flags: 13,
    user: text("agent")
  }),
  sample("write", 4, HostMessage.Write, {
    id,
    root: text("/workspace"),
    path: text("a/b"),
    mode: 0o644,
    flags: 25,
    expected: 0x0123_4567_89ab_cdefn,
    user: undefined
  }),
  sample("write-as-user", 4, HostMessage.Write, {
    id,
    root: text("/"),
    path: text("tmp/b"),
    mode: 0,
    flags: 121,
    expected: 0n,
    user: text("1000:1000")
  }),
  sample("walk", 5, HostMessage.Walk, {
    id,
    window: 65_536,
    root: text("/"),
    path: text("etc"),
    maxDepth: 3,
    flags: 0,
    user: undefined
  }),
  sample("walk-as-user", 5, HostMessage.Walk, {
    id,
    window: 65_536,
    root: text("/"),
    path: text("home"),
    maxDepth: 1,
    flags: 12,
    user: text("agent")
  }),
  sample("watch", 12, HostMessage.Watch, {
    id,
    window: 262_144,
    root: text("/"),
    path: text("workspace/src"),
    flags: 3,
    user: text("agent")
  }),
  sample("file", 11, HostMessage.File, {
    id,
    window: 65_536,
    op: 5,
    root: text("/"),
    path: notUtf8,
    target: text("workspace/b"),
    mode: 0o750,
    flags: 11,
    user: text("agent")
  }),
  sample("connect", 6, HostMessage.Connect, { id, window: 65_536, family: 4, port: 8080 }),

  sample("compare", 7, HostMessage.Compare, {
    id,
    window: 65_536,
    oldRoot: text("baseline:"),
    oldPath: text("workspace"),
    newRoot: text("/workspace"),
    newPath: text(""),
    skip: text(".git"),
    flags: 1
  }),
  sample("read-many", 8, HostMessage.ReadMany, {
    id,
    window: 65_536,
    root: text("/workspace"),
    limit: 4_294_967_301,
    paths: [text("a/b"), notUtf8]
  }),
  sample("change", 9, HostMessage.Change, { id, root: text("/workspace") }),
  sample("accept", 10, HostMessage.Accept, { id, window: 1_048_576, request: 4_294_967_295 }),
  sample("answer", 0, HostMessage.Answer, { request: 7, answer: 1, count: 0, records: text("") }),
  sample("answer-records", 0, HostMessage.Answer, {
    request: 8,
    answer: 6,
    count: 1,
    records: Uint8Array.of(1, 0x61, 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 2, 1, 0x78)
  }),

  sample("agent-hello", 0, AgentMessage.Hello, {
    nonce: id,
    version: 1,
    build: text("0f1e2d"),
    nextStream: 7,
    streams: 2
  }),
  sample("result-failed", FIRST_CALL + 99, AgentMessage.Result, {
    errno: 2,
    detail: text("/dev/vdb"),
    result: text("")
  }),
  sample("started", 1, AgentMessage.Started, { pid: 42 }),
  sample("failed", 1, AgentMessage.Failed, { errno: 2, step: 3, detail: text("no-such-command") }),
  sample("data-out", 1, AgentMessage.DataOut, { output: 1, offset: 4_294_967_301, data: text("from the command\n") }),
  sample("data-out-largest", 1, AgentMessage.DataOut, { output: 2, offset: 0, data: ascending(65_517, 7) }),
  sample("end-out", 1, AgentMessage.EndOut, { output: 1, offset: 4_294_967_318 }),
  sample("exited", 1, AgentMessage.Exited, exited),
  sample("exited-signaled", 1, AgentMessage.Exited, { how: 1, code: 9, durationNs: 86_400_000_000_000n }),
  sample("exited-oom", 1, AgentMessage.Exited, { how: 2, code: 9, durationNs: 0n }),
  sample("ack-in", 1, AgentMessage.AckIn, { offset: 65_536 }),
  sample("state-running", 1, AgentMessage.State, { ...running, end: undefined }),
  sample("state-ended", 2, AgentMessage.State, { ...running, phase: 2, end: { tag: 0x87, payload: endPayload } }),
  sample("event", 0, AgentMessage.Event, { level: 4, text: text("something was odd") }),
  sample("request-connect", 0, AgentMessage.Request, {
    request: 7,
    what: 1,
    address: Uint8Array.of(198, 18, 1, 200),
    port: 443,
    name: text("registry.npmjs.org")
  }),
  sample("request-connect-literal", 0, AgentMessage.Request, {
    request: 9,
    what: 1,
    address: ascending(16, 0x20),
    port: 65_535,
    name: text("")
  }),
  sample("request-resolve", 0, AgentMessage.Request, {
    request: 8,
    what: 2,
    address: text(""),
    port: 16,
    name: text("example.com")
  }),
  sample("withdraw", 0, AgentMessage.Withdraw, { request: 7 }),
  sample("taken", 0, AgentMessage.Taken, { bytes: 1_099_511_627_776 }),

  ...call(Calls.ping, "ping", { payload: text("ping") }, text("ping")),
  ...call(Calls.reseed, "reseed", { entropy: ascending(64) }, undefined),
  ...call(Calls.clockSet, "clock-set", { ns: 1_795_000_000_123_456_789n }, 1_700_000_000_000_000_000n),
  ...call(Calls.clockGet, "clock-get", {}, { realtimeNs: 1_795_000_000_123_456_789n, monotonicNs: 987_654_321n }),
  ...call(
    Calls.mount,
    "mount",
    { source: text("/dev/vdb"), target: text("/disk"), fstype: text("ext4"), flags: 1_024, data: text("noload") },
    undefined
  ),
  ...call(Calls.umount, "umount", { target: text("/disk"), flags: 2 }, undefined),
  ...call(Calls.mkdir, "mkdir", { path: text("/run/a/b"), mode: 0o755 }, undefined),
  ...call(
    Calls.writeSmall,
    "write-small",
    { path: text("/etc/machine-id"), mode: 0o444, content: text("abc\n") },
    undefined
  ),
  ...call(Calls.hostname, "hostname", { name: text("ws-1") }, undefined),
  ...call(Calls.switchRoot, "switch-root", { path: text("/new") }, undefined),
  ...call(Calls.sync, "sync", { dropCaches: 1 }, undefined),
  ...call(Calls.failNext, "fail-next", { op: 2 }, undefined),
  ...call(Calls.chain, "chain", { on: 1 }, undefined),
  ...call(Calls.baseline, "baseline", { device: text("/dev/vdc") }, undefined),
  ...call(Calls.visitRoot, "visit-root", { path: text("/new") }, undefined),
  ...call(Calls.network, "network", { mode: 1 }, undefined),
  ...call(
    Calls.freeSpace,
    "free-space",
    { path: text("/disk"), start: 0, length: 1_073_741_824 },
    { end: 1_073_741_824, ranges: ascending(32) }
  ),
  ...call(Calls.grow, "grow", { path: text("/disk"), device: text("/dev/vdb") }, undefined),
  ...call(Calls.clear, "clear", { path: text("/disk/upper/tmp") }, undefined),
  ...call(
    Calls.layer,
    "layer",
    { seed: text("/dev/vdd"), store: text("/dev/vdb"), bytes: 17_179_869_184 },
    undefined
  ),
  ...call(Calls.checkpoint, "checkpoint", { path: text("/workspace") }, undefined),
  ...call(Calls.programs, "programs", {}, 1),
  ...call(Calls.runtimeFiles, "runtime-files", { from: text("/lower/run"), to: text("/run") }, undefined)
]
