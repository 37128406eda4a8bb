import { Effect, Exit, Fiber, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

const request = Schema.decodeUnknownSync(ExportPayload()) as (given: unknown) => ExportPayload

describe("exports that wait for the person", { concurrent: false }, () => {
  const { assertNoFaults, create, folder, page, pyro, sh, show } = pageOverLocalAgents("waiting")
  const output = path.join(folder, "out", "fix.patch")
  const waiting = () => page().getByRole("list", { name: "Exports that wait for you" })
  const exporting = (given: object = {}) =>
    Effect.runFork(
      Stream.runDrain(pyro().workspace.export(request({ workspace: "fix", patch: true, output, ask: true, ...given })))
    )

  it("the list says that an export waits, and the review that it is the diff which is shown", async () => {
    await create({ name: "fix" })
    await sh("fix", "echo reviewed > file")
    await show("/")
    const asked = exporting()
    await page().getByRole("link", { name: "an export waits" }).click()
    await waiting().waitFor()
    // The other views of the workspace say so, too.
    await page().getByRole("link", { name: "Timeline" }).click()
    await page().getByRole("link", { name: "an export waits" }).click()
    await waiting().getByText("It is exactly the diff below.").waitFor()
    await assertAccessible(page(), "the review with a waiting export")
    assert.isFalse(fs.existsSync(output))
    // The content was fixed before: what follows is no part of it.
    await sh("fix", "echo later >> file")
    await waiting().getByRole("button", { name: "Allow the export" }).click()
    assert.isTrue(Exit.isSuccess(await Effect.runPromise(Fiber.await(asked))))
    assert.include(fs.readFileSync(output, "utf8"), "+reviewed")
    assert.notInclude(fs.readFileSync(output, "utf8"), "later")
    await waiting().waitFor({ state: "detached" })
  })

  it("an export that replaces a file says so", async () => {
    const asked = exporting({ overwrite: true })
    await waiting().getByText("and replaces what exists there").waitFor()
    await waiting().getByRole("button", { name: "Deny the export" }).click()
    assert.isTrue(Exit.isFailure(await Effect.runPromise(Fiber.await(asked))))
    await waiting().waitFor({ state: "detached" })
    // The pressed button has gone, and the keyboard's place is in the page still.
    await page().locator("main:focus, main :focus").waitFor({ state: "attached" })
  })

  it("a denied export writes nothing", async () => {
    const other = path.join(folder, "out", "other.patch")
    const asked = exporting({ output: other })
    await waiting().getByText("It is not the diff below").waitFor()
    await waiting().getByRole("button", { name: "Deny the export" }).click()
    const exit = await Effect.runPromise(Fiber.await(asked))
    assert.include(JSON.stringify(exit), "the user denied this export")
    assert.deepStrictEqual(fs.readdirSync(path.dirname(output)), ["fix.patch"])
    await waiting().waitFor({ state: "detached" })
  })

  it("an export whose caller has gone waits no more, and leaves nothing", async () => {
    const asked = exporting({ output: path.join(folder, "out", "gone"), patch: false, path: "file" })
    await waiting().getByText("An export (file) waits for you").waitFor()
    await Effect.runPromise(Fiber.interrupt(asked))
    await waiting().waitFor({ state: "detached" })
    assert.deepStrictEqual(fs.readdirSync(path.dirname(output)), ["fix.patch"])
    await assertNoFaults()
  })

  it("an export of a workspace that is deleted waits no more, says why, and leaves nothing", async () => {
    const asked = exporting({ output: path.join(folder, "out", "deleted.patch") })
    await waiting().getByText("waits for you").first().waitFor()
    await Effect.runPromise(pyro().workspace.delete({ workspaces: ["fix"], all: false }))
    const exit = await Effect.runPromise(Fiber.await(asked))
    assert.include(JSON.stringify(exit), "the workspace was deleted while the export waited")
    assert.deepStrictEqual(fs.readdirSync(path.dirname(output)), ["fix.patch"])
  })
})
