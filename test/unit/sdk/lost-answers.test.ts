import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Logger, Ref, Scope, Stream } from "effect"
import * as RpcServer from "effect/rpc/RpcServer"
import * as fs from "node:fs"
import * as net from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { FirstEvents } from "../../../src/contract/rows/event-batches.ts"
import { Pyro, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../../src/contract/rows/workspace-info.ts"
import { workspaceCreate, type WorkspaceEvent } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { idsOfClient } from "../../../src/contract/wire/minted-ids.ts"
import { makePyroRpcs } from "../../../src/contract/wire/rpc.ts"
import { serialization } from "../../../src/contract/wire/serialization.ts"
import { makeDirectMessages } from "../../../src/daemon/direct-messages.ts"
import { handlers } from "../../../src/daemon/handlers.ts"
import { layerProtocol } from "../../../src/daemon/protocol.ts"
import { makeRequestTracker } from "../../../src/daemon/request-tracker.ts"
import { payloadOf } from "../../../src/sdk/options.ts"
import { type Client, connect, type Session, socketTo } from "../../../src/sdk/session.ts"
import { streaming } from "../../../src/sdk/streaming.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"

const infoOf = (id: string): WorkspaceInfo => ({
  id,
  state: "running",
  labels: { a: "b" },
  environment: "debian:12",
  environmentDigest: "",
  generation: 1,
  confinement: "namespaces",
  vcpuCount: 1,
  memoryMib: 256,
  diskMib: 64,
  workspaceUser: "root",
  createdAt: "2026-01-01T00:00:00Z",
  lastActivityAt: "2026-01-01T00:00:00Z",
  runningCommands: 0,
  memoryState: "live"
} as unknown as WorkspaceInfo)

/** What happens to the daemon's answers on the first connection. */
type Fault = (answer: Buffer, client: net.Socket) => void
const closes: Fault = (_answer, client) => client.destroy()
/** 0xc1 is no MessagePack. */
const garbles: Fault = (_answer, client) => void client.write(Buffer.from([0xc1, 0xc1]))

/** A daemon whose creations succeed as `creates` says, and a session with it whose first connection has the fault. */
const served = (fault: Fault, creates: boolean) =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "lost-"))),
      (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
    )
    const socket = path.join(folder, "socket")
    const workspaces = new Set<string>()
    const log: Array<string> = []
    const service: PyroService = {
      ...unfakedPyro,
      workspace: {
        ...unfakedPyro.workspace,
        create: () =>
          Stream.fromEffect(Effect.map(idsOfClient, ([id = "ws-0000000000"]): WorkspaceEvent => {
            if (creates) workspaces.add(id)
            return { _tag: "Ready", workspace: infoOf(id) }
          })),
        status: ({ workspace }) =>
          workspaces.has(workspace)
            ? Effect.succeed(infoOf(workspace))
            : Effect.fail(new WorkspaceNotFound({ workspace, similar: [] } as never)),
        delete: ({ workspaces: ids }) =>
          Effect.sync(() => {
            for (const id of ids) workspaces.delete(id)
            return { deleted: ids, names: ids }
          })
      }
    }
    const requests = yield* makeRequestTracker
    const direct = makeDirectMessages()
    const logger = Logger.layer([
      Logger.make(({ message }) => void log.push([message].flat().map(String).join(" ")))
    ])
    yield* Layer.build(
      RpcServer.layer(makePyroRpcs(), { disableFatalDefects: true, disableTracing: true }).pipe(
        Layer.provide(handlers({ requests, leaving: yield* Ref.make(false), hasSpan: () => false, direct })),
        Layer.provide(layerProtocol(direct)),
        Layer.provide(requests.listen(socket)),
        Layer.provide(serialization),
        Layer.provide(Layer.succeed(Pyro, service)),
        Layer.provideMerge(logger)
      )
    )
    const proxied = `${socket}.proxy`
    const proxy = net.createServer((client) => {
      const daemon = net.connect(socket)
      client.pipe(daemon)
      daemon.on("data", (answer) => fault(answer, client))
      for (const one of [client, daemon]) one.on("error", () => {})
      client.on("close", () => daemon.destroy())
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => void proxy.listen(proxied, () => resume(Effect.void))),
      () => Effect.sync(() => void proxy.close())
    )
    let client: Client = yield* connect(socketTo(proxied))
    let isFirst = true
    const scope = yield* Effect.scope
    const session: Session = {
      client: Effect.suspend(() => Effect.succeed(client)),
      failed: (_client, failure) =>
        Effect.gen(function*() {
          if (isFirst) client = yield* connect(socketTo(socket))
          isFirst = false
          return failure
        }).pipe(Effect.provideService(Scope.Scope, scope), Effect.orDie)
    }
    const payload = yield* payloadOf(workspaceCreate, { labels: { a: "b" } })
    const created = streaming(session, workspaceCreate).first!(payload) as Effect.Effect<FirstEvents<WorkspaceEvent>>
    return { created, workspaces, log }
  })

describe("a creation whose answer is lost", () => {
  it.live("the client finds a workspace again by the id that it minted", () =>
    Effect.gen(function*() {
      const { created, workspaces } = yield* served(closes, true)
      const { events } = yield* created
      const [ready] = events
      assert.deepStrictEqual([...workspaces], [ready?._tag === "Ready" ? ready.workspace.id : ""])
    }))

  it.live("the client says that nothing is left of a creation that was undone", () =>
    Effect.gen(function*() {
      const { created } = yield* served(closes, false)
      const failure = yield* Effect.flip(created as Effect.Effect<unknown, Error>)
      assert.match(failure.message, /the connection was lost before it was done, and nothing of it is left; ask again/)
    }))

  it.live("an unreadable answer is a defect that names itself to the client and the daemon, and leaves no workspace", () =>
    Effect.gen(function*() {
      const { created, log, workspaces } = yield* served(garbles, true)
      const exit = yield* Effect.exit(created)
      const defect = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.match(String((defect as Error).stack), /an answer of the daemon cannot be read/)
      assert.deepStrictEqual([...workspaces], [])
      assert.match(log.join("\n"), /a client reports: an answer of the daemon cannot be read/)
    }))
})
