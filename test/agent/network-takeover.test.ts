import { assert } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { randomUUID } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import { accept } from "../support/network/guest-requests.ts"
import { Agent, until, withNetworkAgent } from "./agent.ts"
import { js, nextConnect, serve } from "./network.ts"
import { launch } from "./run.ts"

/** Programs that outlive their host: one connected to port 80, one that waits for port 81. They write to a file how it went. */
const programs = (channel: GuestChannel, file: string) =>
  launch(channel, [
    process.execPath,
    "-e",
    `const net = require("node:net"), fs = require("node:fs");
     const log = (text) => fs.appendFileSync("${file}", text + "\\n");
     for (const port of [80, 81]) net.connect(port, "1.2.3.4").on("connect", () => log(port + " open"))
       .on("error", (e) => log(port + " " + e.code)).on("data", (d) => log(port + " " + d))`
  ])

const lines = (file: string) => readFileSync(file, "utf8").split("\n").sort().join(" ").trim()

/** Leaves the programs to the next host. */
const leftByOldHost = Effect.gen(function*() {
  // The last test's programs may still write to theirs.
  const file = join((yield* Agent).folder, `programs-${randomUUID()}`)
  writeFileSync(file, "")
  const old = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const channel = yield* Scope.provide(Agent.connect(), old)
  yield* channel.call.network({ mode: NetworkMode.on })
  yield* programs(channel, file)
  const requests = [yield* nextConnect(channel), yield* nextConnect(channel)]
  const first = requests.find(({ port }) => port === 80)
  yield* Scope.provide(accept(first!), old)
  yield* until("the first program", () => lines(file) === "80 open")
  return { close: Scope.close(old, Exit.void), file }
})

withNetworkAgent("a new host of a guest with a network", (it) => {
  it.effect("a new host gets the open request again", () =>
    Effect.gen(function*() {
      const { close, file } = yield* leftByOldHost
      yield* close
      const channel = yield* Agent.connect({ forget: false })
      const request = yield* nextConnect(channel)
      assert.deepStrictEqual([request.address, request.port], ["1.2.3.4", 81])
      const socket = yield* accept(request)
      yield* socket.write(Buffer.from("hello"))
      yield* until("both programs", () => lines(file) === "80 ECONNRESET 80 open 81 hello 81 open")
    }))

  it.effect("a host that forgets resets every connection and is asked again", () =>
    Effect.gen(function*() {
      const { close, file } = yield* leftByOldHost
      yield* close
      const channel = yield* Agent.connect({ forget: true })
      // Its programs were killed; the request's end is told.
      yield* serve(channel, {})
      const said = yield* js(channel, `net.connect(82, "1.2.3.4").on("error", (e) => console.log(e.code))`)
      assert.strictEqual(said, "ECONNREFUSED")
      assert.include(lines(file), "80 open")
    }))

  it.effect("a host that vanishes with 200 connections leaves none of them to the next host", () =>
    Effect.gen(function*() {
      const file = join((yield* Agent).folder, "many")
      writeFileSync(file, "")
      const old = yield* Scope.make()
      const channel = yield* Scope.provide(Agent.connect(), old)
      yield* channel.call.network({ mode: NetworkMode.on })
      let open = 0
      yield* Scope.provide(
        serve(channel, {
          connect: (request) =>
            Effect.flatMap(accept(request), ({ closed }) => Effect.andThen(Effect.sync(() => open++), closed))
        }),
        old
      )
      yield* launch(channel, [
        process.execPath,
        "-e",
        `let left = 200; for (let i = 0; i < 200; i++) require("node:net").connect(80, "1.2.3.4")
           .on("error", (e) => { if (e.code === "ECONNRESET" && --left === 0) require("node:fs").writeFileSync("${file}", "all reset") })`
      ])
      yield* until("200 connections", () => open === 200)
      yield* Scope.close(old, Exit.void)
      const next = yield* Agent.connect({ forget: false })
      yield* until("the resets", () => readFileSync(file, "utf8") === "all reset")
      assert.strictEqual(next.hello.streams.filter(({ opener }) => opener === "accept").length, 0)
    }))
})
