import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { InvalidRequest } from "../../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { ExportPayload, workspaceExport } from "../../../../src/contract/rows/workspace-export.ts"
import { workspaceCreate } from "../../../../src/contract/rows/workspace-lifecycle.ts"
import { callerCeiling } from "../../../../src/contract/wire/caller-project.ts"
import { writingPlace } from "../../../../src/system/files/caller-places.ts"
import { eventsOf, serveAndConnect } from "../../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../../support/daemon/unfaked-pyro.ts"
import { browse } from "../../../support/web/page-browser.ts"
import { connectPage, pageFolder, servePage, workspaceInfo } from "./served-page.ts"

const PROJECT = "/home/ann/project"

/** An export that says where it may write, and whether it may grant any network. */
const service: PyroService = {
  ...unfakedPyro,
  workspace: {
    ...unfakedPyro.workspace,
    status: ({ workspace }) =>
      Effect.succeed({
        ...workspaceInfo,
        name: workspace,
        ...(workspace === "bound"
          ? { project: PROJECT }
          : workspace === "cloned"
          ? { project: "https://example.com/x.git" }
          : {})
      }),
    export: ({ output }) =>
      Stream.fromEffect(
        Effect.map(
          Effect.zip(writingPlace(output ?? ""), callerCeiling),
          ([place, ceiling]) => ({
            _tag: "Notice" as const,
            level: "hint" as const,
            message: `${place ?? "anywhere"}, ${ceiling === undefined ? "any network" : "a ceiling"}`
          })
        )
      ),
    create: () => Stream.make({ _tag: "Notice" as const, level: "hint" as const, message: "created" })
  }
}

const exportPayload = (workspace: string, output: string) =>
  Schema.decodeUnknownSync(ExportPayload())({ workspace, patch: true, output })
const create = Schema.decodeUnknownSync(workspaceCreate.payload())

const page = Effect.gen(function*() {
  const { open } = yield* servePage(service, yield* pageFolder)
  return yield* connectPage(yield* browse(yield* open(undefined)))
})

describe("paths of the host that a page may name", () => {
  it.live("an export writes beneath the project of its workspace only, and gives the patch to the page", () =>
    Effect.gen(function*() {
      const client = yield* page
      const exported = (workspace: string, output: string, headers = {}) =>
        Effect.map(
          Stream.runCollect(eventsOf(client, workspaceExport, exportPayload(workspace, output), headers)),
          (events) => (events as ReadonlyArray<{ readonly message: string }>)[0]!.message
        )
      assert.strictEqual(yield* exported("bound", `${PROJECT}/fix.patch`), `${PROJECT}, any network`)
      assert.strictEqual(yield* exported("bound", "-"), "anywhere, any network")
      for (const output of ["/home/ann/.bashrc", "/home/ann/project-2/x", "/home/ann/project/../x"]) {
        const refusal = yield* Effect.flip(exported("bound", output))
        assert.deepInclude(refusal, { _tag: "InvalidRequest", field: "output" }, output)
      }
      // A workspace without a directory of the host.
      for (const workspace of ["cloned", "free"]) {
        assert.instanceOf(yield* Effect.flip(exported(workspace, `${PROJECT}/fix.patch`)), InvalidRequest)
      }
      // No header of a request gives a page more.
      const headers = { "pyro-project": "+", "pyro-places": JSON.stringify({ reading: ["/"], writing: ["/"] }) }
      assert.instanceOf(yield* Effect.flip(exported("bound", "/etc/passwd", headers)), InvalidRequest)
    }))

  it.live("no other operation takes a path of the host from a page", () =>
    Effect.gen(function*() {
      const client = yield* page
      const created = (payload: object) =>
        Stream.runDrain(eventsOf(client, workspaceCreate, create({ environment: "debian:12", ...payload })))
      yield* created({})
      const refusal = yield* Effect.flip(created({ seed_path: PROJECT }))
      assert.deepInclude(refusal, { _tag: "InvalidRequest", field: "seed_path" })
    }))

  it.live("the command line writes wherever its person may", () =>
    Effect.gen(function*() {
      const { client } = yield* serveAndConnect(service)
      const events = yield* Stream.runCollect(
        eventsOf(client, workspaceExport, exportPayload("bound", "/home/ann/fix.patch"))
      )
      assert.deepInclude(events[0], { message: "anywhere, any network" })
    }))
})
