import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as net from "node:net"
import { REQUEST_ID, requestFrame } from "../../../src/cli/quick-exec/frames.ts"
import { recordedExec } from "../../../src/cli/recorded.ts"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { type ExecEvent, ExecPayload, workspaceExec } from "../../../src/contract/rows/workspace-exec.ts"
import { layerSerialization } from "../../../src/contract/wire/serialization.ts"
import { connect, socketOf } from "../../../src/sdk/connection/connection.ts"
import { servePyro } from "../../support/daemon/served-pyro.ts"
import { eventsOf } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { until } from "../../support/until.ts"

const execId = "0123456789abcdef".repeat(2)
const EVENTS: ReadonlyArray<ExecEvent> = [
  { _tag: "Started", execId },
  { _tag: "Exited", outcome: "signaled", status: 137, signal: 9, durationMs: 1 }
]

const { makeUnsafe } = Effect.runSync(Effect.provide(RpcSerialization.RpcSerialization, layerSerialization()))

const serving = (events: Stream.Stream<ExecEvent, WorkspaceNotFound>): PyroService => ({
  ...unfakedPyro,
  workspace: { ...unfakedPyro.workspace, exec: () => events }
})

/** Whether the last answer to the request has come. */
const isWhole = (received: Buffer) =>
  (makeUnsafe().decode(received) as ReadonlyArray<{ readonly _tag: string }>).some(({ _tag }) => _tag === "Exit")

/** Sends the request by hand, and takes the connection over when all of the answer has come. */
const takenOver = (service: PyroService) =>
  Effect.gen(function*() {
    const { socket: path } = yield* servePyro(service)
    const socket = yield* Effect.callback<net.Socket>((resume) => {
      const made = net.connect(path, () => resume(Effect.succeed(made)))
    })
    const received: Array<Buffer> = []
    const keep = (bytes: Buffer) => void received.push(bytes)
    socket.on("data", keep)
    socket.write(requestFrame(recordedExec(), { workspace: "w", command: ["true"], execId, order: "stream" }))
    yield* until(() => isWhole(Buffer.concat(received)))
    socket.off("data", keep)
    socket.pause()
    socket.unshift(Buffer.concat(received))
    const begun = { id: REQUEST_ID, socket, creditedEvents: 0 }
    const connection = yield* connect(socketOf(socket), begun)
    const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["true"] })
    return eventsOf(connection, workspaceExec, payload, {}, { begun })
  })

describe("a command that was begun before the program was loaded", () => {
  it.live("the program gets all its events", () =>
    Effect.gen(function*() {
      const events = yield* takenOver(serving(Stream.fromIterable(EVENTS)))
      assert.deepStrictEqual(yield* Stream.runCollect(events) as Effect.Effect<unknown>, [...EVENTS])
    }), 5_000)

  it.live("the program gets its failure", () =>
    Effect.gen(function*() {
      const events = yield* takenOver(serving(Stream.fail(new WorkspaceNotFound({ workspace: "w", similar: [] }))))
      assert.instanceOf(yield* Effect.flip(Stream.runDrain(events)), WorkspaceNotFound)
    }), 5_000)
})
