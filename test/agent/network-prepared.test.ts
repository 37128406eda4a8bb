import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { NetworkMode } from "../../src/lib/guest-channel/model/calls.ts"
import { Agent, withNetworkAgent } from "./agent.ts"
import { echo, js, serve } from "./network.ts"
import { sh } from "./run.ts"

const connect = (host: string, port = 80) =>
  `net.connect(${port}, "${host}", function () { this.end("hello") })
    .on("data", (d) => console.log(String(d))).on("error", (e) => console.log(e.code))`

const hosts = ["1.2.3.4", "2001:db8::1"]

const ip = (commands: string) => `PATH=$PATH:/usr/sbin:/sbin; set -e; ${commands}`

/** What a program that is root does to reach the agent's table without NETWORK on. */
const ownRules = (verb: "add" | "del") =>
  ip(["-4", "-6"].map((family) => `ip ${family} rule ${verb} pref 39000 table 28793`).join("; "))

/** A prepared agent, and the connections that it has asked its host for. */
const prepared = Effect.gen(function*() {
  const channel = yield* Agent.connect()
  const asked: Array<string> = []
  yield* serve(channel, {
    connect: (request) => {
      asked.push(request.address)
      return echo(request)
    }
  })
  yield* channel.call.network({ mode: NetworkMode.prepare })
  yield* Effect.addFinalizer(() => Effect.ignore(channel.call.network({ mode: NetworkMode.off })))
  return { asked, channel }
})

withNetworkAgent("a guest whose network is prepared", (it) => {
  it.effect("no connection goes out before the network is on, also by rules of the guest's own", () =>
    Effect.gen(function*() {
      const { asked, channel } = yield* prepared
      for (const host of hosts) assert.strictEqual(yield* js(channel, connect(host)), "ENETUNREACH")
      assert.strictEqual((yield* sh(channel, ownRules("add"))).stderr, "")
      for (const host of hosts) assert.strictEqual(yield* js(channel, connect(host)), "ECONNREFUSED")
      assert.strictEqual((yield* sh(channel, ownRules("del"))).stderr, "")
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("a guest that has run no program needs nothing but the rules", () =>
    Effect.gen(function*() {
      const { asked, channel } = yield* prepared
      yield* channel.call.network({ mode: NetworkMode.onClaimed })
      for (const host of hosts) assert.strictEqual(yield* js(channel, connect(host)), "hello")
      assert.deepStrictEqual(asked, hosts)
      yield* channel.call.network({ mode: NetworkMode.off })
      for (const host of hosts) assert.strictEqual(yield* js(channel, connect(host)), "ENETUNREACH")
      assert.deepStrictEqual(asked, hosts)
    }))

  it.effect("on brings back what programs have removed", () =>
    Effect.gen(function*() {
      const { channel } = yield* prepared
      const removed = yield* sh(
        channel,
        ip(
          "ip -4 route flush table 28793; ip -6 route flush table 28793; ip addr del 198.18.0.1/32 dev lo; ip addr del fd70:7972:6f00::1/128 dev lo"
        )
      )
      assert.strictEqual(removed.stderr, "")
      yield* channel.call.network({ mode: NetworkMode.on })
      for (const host of hosts) assert.strictEqual(yield* js(channel, connect(host)), "hello")
    }))
})
