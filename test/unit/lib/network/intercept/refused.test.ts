import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import * as net from "node:net"
import { dialIntercepted } from "../../../../../src/lib/network/dialer/dial/terminate.ts"
import { listen } from "./intercepted.ts"

/** The folder of temporary files does not exist until the Scope ends. */
const withoutTemporaryFolder = Effect.acquireRelease(
  Effect.sync(() => {
    const before = process.env["TMPDIR"]
    process.env["TMPDIR"] = "/none"
    return before
  }),
  (before) =>
    Effect.sync(() => {
      if (before === undefined) delete process.env["TMPDIR"]
      else process.env["TMPDIR"] = before
    })
)

/** Dials a server of this host as the dial process does for a secret of the host. */
const dialLocalhost = (port: number) =>
  dialIntercepted(
    {
      _tag: "Dial",
      id: 1,
      name: "localhost",
      address: undefined,
      port,
      allowIps: ["127.0.0.1"],
      group: "one",
      proxies: { http: undefined, https: undefined, all: undefined, no: undefined }
    },
    {
      authority: { key: "", certificate: "" },
      secrets: [],
      foreign: [],
      trust: { file: undefined, extraFile: undefined },
      nowMs: 0
    },
    new AbortController().signal,
    () => {}
  )

describe("an intercepted connection that cannot begin", () => {
  it.live("the connection to the host is closed if the guest's side cannot be made", () =>
    Effect.gen(function*() {
      const host = net.createServer((socket) => void socket.resume())
      const closed = once(host, "connection").then(([socket]) =>
        new Promise((resolve) => (socket as net.Socket).once("close", resolve))
      )
      const port = yield* listen(host)
      yield* withoutTemporaryFolder
      const refusal = yield* Effect.flip(Effect.tryPromise({ try: () => dialLocalhost(port), catch: String }))
      assert.include(refusal, "ENOENT")
      yield* Effect.promise(() => closed)
    }))
})
