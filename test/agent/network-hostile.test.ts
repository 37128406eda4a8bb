import { assert } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { randomBytes } from "node:crypto"
import { constants } from "node:os"
import { NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import {
  AgentMessage,
  encodeControl,
  encodeFrame,
  HostMessage,
  RequestAnswer
} from "../support/guest-channel/guest-wire.ts"
import { accept as acceptRequest, networkRequests } from "../support/network/guest-requests.ts"
import { until, withNetworkAgent } from "./agent.ts"
import { connectedNetwork, echo, js, jsFiber, serve } from "./network.ts"
import { openRaw } from "./raw.ts"
import { sh } from "./run.ts"

const { EBADMSG, ECONNABORTED } = constants.errno
const nothing = Buffer.alloc(0)
const client = (port: number) =>
  `net.connect(${port}, "1.2.3.4").on("connect", () => console.log("open")).on("error", (e) => console.log(e.code)).resume()`

withNetworkAgent("an agent with a network whose host sends what it should not", (it) => {
  /** A raw host, and a program of the guest that connects to port 80 of 1.2.3.4. */
  const waiting = Effect.gen(function*() {
    const raw = yield* openRaw
    raw.send(HostMessage.Call, 0x8000_0000, { op: 22, fields: Buffer.of(NetworkMode.on) })
    yield* raw.frameFor(AgentMessage.Result, 0x8000_0000)
    raw.send(HostMessage.Spawn, 1, {
      id: randomBytes(16),
      window: 65_536,
      flags: 0,
      rows: 0,
      cols: 0,
      user: "",
      cwd: "",
      argv: [process.execPath, "-e", `const net = require("node:net"); ${client(80)}`],
      env: ["PATH=/usr/bin:/bin"],
      memoryMax: 0,
      pidsMax: 0
    })
    const { request } = yield* raw.frameFor(AgentMessage.Request, 0)
    const accept = (stream: number, number = request) =>
      raw.send(HostMessage.Accept, stream, { id: randomBytes(16), window: 65_536, request: number })
    const said = () =>
      Buffer.concat(raw.framesOf(AgentMessage.DataOut).filter(({ stream }) => stream === 1).map(({ data }) => data))
        .toString()
    return { accept, raw, request, said }
  })

  it.effect("ACCEPT of an unknown request fails, and the open request goes on", () =>
    Effect.gen(function*() {
      const { accept, raw, request, said } = yield* waiting
      accept(2, request + 77)
      assert.deepInclude(yield* raw.frameFor(AgentMessage.Failed, 2), { errno: ECONNABORTED, step: 6 })
      accept(3)
      yield* raw.frameFor(AgentMessage.Started, 3)
      accept(4)
      assert.deepInclude(yield* raw.frameFor(AgentMessage.Failed, 4), { errno: ECONNABORTED })
      yield* until("the program's connection", () => said() === "open\n")
    }))

  it.effect("an ANSWER that fits no request changes nothing", () =>
    Effect.gen(function*() {
      const { accept, raw, request } = yield* waiting
      for (const answer of Object.values(RequestAnswer)) {
        raw.send(HostMessage.Answer, 0, { request: request + 5, answer, count: 0, records: nothing })
      }
      // Of the other kind of request, of no kind, on a stream's number, cut short.
      raw.send(HostMessage.Answer, 0, { request, answer: RequestAnswer.address, count: 0, records: nothing })
      raw.send(HostMessage.Answer, 0, { request, answer: 99, count: 0, records: nothing })
      raw.send(HostMessage.Answer, 9, { request, answer: RequestAnswer.refused, count: 0, records: nothing })
      raw.write(encodeFrame(0, HostMessage.Answer.kind, Buffer.alloc(3)))
      accept(2)
      yield* raw.frameFor(AgentMessage.Started, 2)
    }))

  it.effect("input ahead of the connection fails the stream and refuses the program", () =>
    Effect.gen(function*() {
      const { raw, request, said } = yield* waiting
      const { Accept, DataIn } = HostMessage
      // In one write, so that the agent reads both before it takes the connection.
      raw.write(Buffer.concat([
        encodeControl(2, Accept.kind, Accept.fields, { id: randomBytes(16), window: 65_536, request }),
        encodeControl(2, DataIn.kind, DataIn.fields, { offset: 0, data: Buffer.from("too early") })
      ]))
      const { errno } = yield* raw.frameFor(AgentMessage.Failed, 2)
      assert.strictEqual(errno, EBADMSG)
      yield* until("the program's error", () => /ECONN(REFUSED|RESET)/.test(said()))
    }))

  it.effect("input beyond the credit of 1 MiB resets the program", () =>
    Effect.gen(function*() {
      const { accept, raw, said } = yield* waiting
      accept(2)
      yield* raw.frameFor(AgentMessage.Started, 2)
      raw.send(HostMessage.DataIn, 2, { offset: 1, data: Buffer.from("a gap") })
      assert.strictEqual((yield* raw.frameFor(AgentMessage.Failed, 2)).errno, EBADMSG)
      yield* until("the program's error", () => said().includes("ECONNRESET"))
    }))

  it.effect("an unknown mode of NETWORK is malformed", () =>
    Effect.gen(function*() {
      const raw = yield* openRaw
      for (const mode of [5, 255]) raw.send(HostMessage.Call, 0x8000_0000 + mode, { op: 22, fields: Buffer.of(mode) })
      assert.strictEqual((yield* raw.frameFor(AgentMessage.Result, 0x8000_0005)).errno, EBADMSG)
      assert.strictEqual((yield* raw.frameFor(AgentMessage.Result, 0x8000_00ff)).errno, EBADMSG)
    }))
})

withNetworkAgent("an agent with a network whose guest floods", (it) => {
  it.effect(
    "a guest keeps 1,024 open requests, and the other programs connect once they are answered",
    () =>
      Effect.gen(function*() {
        const channel = yield* connectedNetwork
        const flood = yield* jsFiber(
          channel,
          `let left = 1300, refused = 0;
         for (let i = 0; i < 1300; i++) net.connect(1000 + i, "1.2.3.4").on("error", (e) => {
           if (e.code === "ECONNREFUSED") refused++; if (--left === 0) console.log(refused) })`
        )
        // As many as fit are asked for; the kernel sends the others again after a second.
        const first = yield* networkRequests(channel).pipe(Stream.take(1_024), Stream.runCollect)
        yield* Effect.forEach(first, (request) => request._tag === "Connect" ? request.refuse : Effect.void)
        yield* serve(channel, {})
        assert.strictEqual(yield* Fiber.join(flood), "1300")
        assert.strictEqual(first.length, 1_024)
      }),
    60_000
  )

  it.effect("connections beyond 2,048 are refused, and the open ones go on", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      const outcome = { full: 0, open: 0 }
      yield* serve(channel, {
        connect: (request) =>
          acceptRequest(request).pipe(
            Effect.tap(() => Effect.sync(() => outcome.open++)),
            Effect.flatMap((socket) => socket.closed),
            Effect.tapError((error) =>
              Effect.sync(() => {
                if ("errno" in error && error.errno === "EAGAIN") outcome.full++
              })
            )
          )
      })
      const said = yield* js(
        channel,
        `let left = 2100, open = 0, refused = 0; const sockets = [];
         const done = () => { if (--left === 0) { console.log(open, refused); sockets.forEach((s) => s.destroy()) } };
         for (let i = 0; i < 2100; i++) { const s = net.connect(80, "1.2.3.4"); sockets.push(s);
           s.on("connect", () => { open++; done() }).on("error", (e) => { if (e.code === "ECONNREFUSED") refused++; done() }) }`
      )
      assert.strictEqual(said, "2048 52")
      assert.strictEqual(outcome.full, 52)
    }), 120_000)

  it.effect("forged SYNs and segments change nothing for honest programs", () =>
    Effect.gen(function*() {
      const channel = yield* connectedNetwork
      yield* serve(channel, { connect: (request) => request.port === 80 ? echo(request) : request.refuse })
      const forged = yield* sh(
        channel,
        `python3 - <<'END'
import random, socket, struct
random.seed(7)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
marked = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
for s in (raw, marked): s.setsockopt(socket.SOL_SOCKET, 36, 0x7079726f)
for i in range(4000):
    options = random.choice([0, 4, 20, 40])
    source = bytes([random.choice([198, 10, 127]), 18, 0, random.randrange(256)])
    head = struct.pack("!BBHHHBBH", 0x45, 0, 40 + options, 0, 0, 64, 6, 0) + source + bytes([1, 2, 3, 4])
    flags = random.choice([2, 2, 2, 18, 16, 4, 1, 0, 255])
    tcp = struct.pack("!HHIIBBHHH", random.randrange(65536), random.choice([0, 80, 53, 443]), i, 0, (5 + options // 4) << 4, flags, 65535, 0, 0)
    try: raw.sendto(head + tcp + bytes(options), ("1.2.3.4", 0))
    except OSError: pass
END`
      )
      assert.strictEqual(forged.stderr, "")
      assert.strictEqual(
        yield* js(
          channel,
          `net.connect(80, "1.2.3.4", function () { this.end("honest") }).on("data", (d) => console.log(String(d)))`
        ),
        "honest"
      )
    }), 60_000)
})
