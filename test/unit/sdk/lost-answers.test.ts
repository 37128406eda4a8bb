import { assert, describe, it } from "@effect/vitest"
import { Effect, Scope, Stream } from "effect"
import * as net from "node:net"
import { MessageUnreadable, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { WorkspaceInfo } from "../../../src/contract/rows/workspace-info.ts"
import { workspaceCreate, type WorkspaceEvent } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { idsOfClient } from "../../../src/contract/wire/minted-ids.ts"
import { streaming } from "../../../src/sdk/calls.ts"
import { connect, socketTo } from "../../../src/sdk/connection/connection.ts"
import type { Session } from "../../../src/sdk/connection/session.ts"
import { payloadOf } from "../../../src/sdk/model/options.ts"
import { servePyro } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { until } from "../../support/until.ts"

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
/** A frame of two bytes, neither of which is a version of the library. */
const garbles: Fault = (_answer, client) => void client.write(Buffer.from([2, 0xc1, 0xc1]))

/** A daemon whose creations succeed as `creates` says, and a session with it whose first connection has the fault. */
const served = (fault: Fault, creates: boolean) =>
  Effect.gen(function*() {
    const workspaces = new Set<string>()
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
    const { log, socket } = yield* servePyro(service)
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
    let client = yield* connect(socketTo(proxied))
    let isFirst = true
    const scope = yield* Effect.scope
    const session: Session = {
      connection: Effect.suspend(() => Effect.succeed(client)),
      failed: (_client, failure) =>
        Effect.gen(function*() {
          if (isFirst) client = yield* connect(socketTo(socket))
          isFirst = false
          return failure
        }).pipe(Effect.provideService(Scope.Scope, scope), Effect.orDie)
    }
    const payload = yield* payloadOf(workspaceCreate, { labels: { a: "b" } })
    const created = Stream.runCollect(
      streaming(session, workspaceCreate)(payload) as Stream.Stream<WorkspaceEvent, Error>
    )
    return { created, workspaces, log }
  })

describe("a creation whose answer is lost", () => {
  it.live("the client finds a workspace again by the id that it minted", () =>
    Effect.gen(function*() {
      const { created, workspaces } = yield* served(closes, true)
      const [ready] = yield* created
      assert.deepStrictEqual([...workspaces], [ready?._tag === "Ready" ? ready.workspace.id : ""])
    }))

  it.live("the client says that nothing is left of a creation that was undone", () =>
    Effect.gen(function*() {
      const { created } = yield* served(closes, false)
      const failure = yield* Effect.flip(created)
      assert.match(failure.message, /the connection was lost before it was done, and nothing of it is left\. Ask again/)
    }))

  it.live("an unreadable answer is an error that names its operation to the client and the daemon, and leaves no workspace", () =>
    Effect.gen(function*() {
      const { created, log, workspaces } = yield* served(garbles, true)
      const failure = yield* Effect.flip(created)
      assert.instanceOf(failure, MessageUnreadable)
      assert.match(failure.message, /^workspace\.create: a message between pyro and its daemon cannot be read/)
      assert.deepStrictEqual([...workspaces], [])
      yield* until(() => log.length !== 0)
      assert.match(log.join("\n"), /a client reports: a message cannot be read/)
    }))
})
