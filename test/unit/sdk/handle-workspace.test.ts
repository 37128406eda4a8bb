import { Effect, Exit, Option, Scope, Stream } from "effect"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { ServiceNotFound, WorkspaceNameTaken, WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import type { ErrorOf } from "../../../src/contract/rows/operations.ts"
import { Workspace } from "../../../src/sdk/handle.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { handleService, infoOf, rejection } from "./handle-service.ts"

const notFound = (workspace: string) => new WorkspaceNotFound({ workspace, similar: [] })

/** Calls of one name. */
const payloads = (asked: ReadonlyArray<readonly [string, unknown]>, name: string) =>
  asked.filter(([one]) => one === name).map(([, payload]) => payload)

describe("workspaces that a program holds", () => {
  it("a created workspace stays, and the end of its use deletes it", async () => {
    const { asked, connect } = handleService()
    const pyro = connect()
    const ws = await pyro.create({ seedPath: "/project", ttlMs: 1500, labels: { task: "1" } })
    assert.deepInclude(ws, { id: "ws-0000000001", name: "fix" })
    assert.deepInclude(payloads(asked, "create")[0], { seedPath: "/project", ttlSeconds: 2, labels: { task: "1" } })
    assert.deepStrictEqual(payloads(asked, "delete"), [])
    await ws[Symbol.asyncDispose]()
    assert.deepStrictEqual(payloads(asked, "delete"), [{ workspaces: ["ws-0000000001"], all: false }])
    await pyro.close()
  })

  it("a workspace that was found or opened stays after its use", async () => {
    const { asked, connect } = handleService()
    const pyro = connect()
    await using found = await pyro.get("fix")
    await using opened = await pyro.open("fix")
    await found?.[Symbol.asyncDispose]()
    await opened[Symbol.asyncDispose]()
    assert.deepStrictEqual(payloads(asked, "delete"), [])
  })

  it("an absent workspace, file or service is null, and None in Effect", async () => {
    const { connect, layer } = handleService(undefined, {
      status: ({ workspace }) =>
        workspace === "fix" ? Effect.succeed(infoOf("ws-1")) : Effect.fail(notFound(workspace)),
      file: {
        ...unfakedPyro.workspace.file,
        stat: ({ path }) =>
          Effect.succeed(
            path === "there" ? { path, exists: true, type: "file", sizeBytes: 1, mode: "0644", uid: 0, gid: 0 } : {
              path,
              exists: false
            }
          )
      },
      service: {
        ...unfakedPyro.workspace.service,
        status: ({ name, workspace }) => Effect.fail(new ServiceNotFound({ workspace, service: name, similar: [] }))
      }
    })
    const pyro = connect()
    assert.isNull(await pyro.get("nope"))
    const ws = await pyro.get("fix")
    assert.isNull(ws!.name)
    assert.isNull(await ws!.files.stat("nope"))
    assert.isFalse(await ws!.files.exists("nope"))
    assert.deepStrictEqual(await ws!.files.stat("there"), {
      path: "there",
      type: "file",
      sizeBytes: 1,
      mode: "0644",
      uid: 0,
      gid: 0
    })
    assert.isNull(await ws!.services.get("web"))
    const none = await Effect.gen(function*() {
      const ws = Option.getOrThrow(yield* Workspace.get("fix"))
      return [yield* Workspace.get("nope"), yield* ws.files.stat("nope"), yield* ws.services.get("web")]
    }).pipe(Effect.provide(layer), Effect.runPromise)
    assert.deepStrictEqual(none.map((one: Option.Option<unknown>) => Option.isNone(one)), [true, true, true])
  })

  it("open starts the workspace of the name, or creates it with the options", async () => {
    let exists = true
    const { asked, connect, note } = handleService(undefined, {
      start: ({ workspace }) =>
        exists
          ? Stream.fromEffect(note("start", workspace, { _tag: "Ready" as const, workspace: infoOf("ws-1", "fix") }))
          : Stream.fail(notFound(workspace))
    })
    const pyro = connect()
    assert.strictEqual((await pyro.open("fix", { seedPath: "/project" })).id, "ws-1")
    assert.deepStrictEqual(payloads(asked, "create"), [])
    exists = false
    assert.strictEqual((await pyro.open("fix", { seedPath: "/project" })).id, "ws-0000000001")
    assert.deepInclude(payloads(asked, "create")[0], { name: "fix", seedPath: "/project" })
  })

  it("open uses the workspace that another program has created meanwhile", async () => {
    let starts = 0
    const { connect } = handleService(undefined, {
      start: (
        { workspace }
      ): Stream.Stream<
        { readonly _tag: "Ready"; readonly workspace: ReturnType<typeof infoOf> },
        ErrorOf<"workspace.start">
      > =>
        starts++ === 0
          ? Stream.fail(notFound(workspace))
          : Stream.make({ _tag: "Ready" as const, workspace: infoOf("ws-2", "fix") }),
      create: () => Stream.fail(new WorkspaceNameTaken({ workspaceName: "fix", workspace: "ws-2" }))
    })
    assert.strictEqual((await connect().open("fix")).id, "ws-2")
  })

  it("delete does nothing where the workspace is gone", async () => {
    const { fix } = handleService(undefined, { delete: ({ workspaces: [id = ""] }) => Effect.fail(notFound(id)) })
    assert.isUndefined(await (await fix()).delete())
  })

  it("copies from the host name the host's files from this program's directory", async () => {
    const { asked, fix, note } = handleService(undefined, {
      import: (payload) =>
        note("import", payload, {
          path: "/etc/a",
          kind: "file",
          files: 1,
          symlinks: 0,
          bytes: 2,
          skippedCount: 0,
          skipped: []
        }),
      sync: {
        push: (payload) =>
          note("push", payload, {
            filesPushed: 1,
            writtenCount: 1,
            removedCount: 0,
            equalCount: 0,
            bytes: 2,
            files: [],
            conflictCount: 0,
            conflicts: [],
            skippedCount: 0,
            skipped: [],
            missingOnHostCount: 0,
            missingOnHost: [],
            ignoredCount: 0,
            ignored: [],
            warnings: []
          })
      }
    })
    const ws = await fix()
    assert.deepInclude(await ws.import("a", "/etc/a", { maxMib: 5 }), { path: "/etc/a", bytes: 2 })
    assert.deepInclude(await ws.push("project", { delete: true }), { filesPushed: 1 })
    const workspace = "ws-0000000001"
    const sourcePath = path.resolve("a")
    assert.deepInclude(payloads(asked, "import")[0], { workspace, sourcePath, path: "/etc/a", maxMib: 5 })
    const pushed = { workspace, sourcePath: path.resolve("project"), dest: "", delete: true, force: false }
    assert.deepInclude(payloads(asked, "push")[0], pushed)
  })

  it("an unknown option is refused, and a signal is none", async () => {
    const { fix } = handleService()
    const ws = await fix()
    const wrong = { colour: "red" } as object
    assert.deepInclude(await rejection(ws.exec("true", wrong)), { _tag: "InvalidRequest", field: "colour" })
    await ws.exec("true", { signal: undefined })
    await ws.status({ signal: new AbortController().signal })
  })

  it("in Effect, the Scope of make deletes the workspace, and the Scope of a fork the fork", async () => {
    const made: Array<string> = []
    const { asked, layer } = handleService(undefined, {
      list: () => Effect.sync(() => ({ workspaces: made.map((id) => infoOf(id)) })),
      create: () =>
        Stream.sync(() => {
          made.push("ws-made")
          return { _tag: "Ready" as const, workspace: infoOf("ws-made") }
        }),
      fork: () => Stream.make({ _tag: "Forked" as const, workspaces: [infoOf("ws-fork")] })
    })
    const scope = Scope.makeUnsafe()
    await Effect.gen(function*() {
      const ws = yield* Scope.provide(Workspace.make(), scope)
      yield* Effect.scoped(Effect.map(ws.fork(), ({ id }) => assert.strictEqual(id, "ws-fork")))
      assert.deepStrictEqual(payloads(asked, "delete"), [{ workspaces: ["ws-fork"], all: false }])
      yield* Scope.close(scope, Exit.void)
      assert.deepInclude(payloads(asked, "delete")[1], { workspaces: ["ws-made"] })
    }).pipe(Effect.provide(layer), Effect.runPromise)
  })
})
