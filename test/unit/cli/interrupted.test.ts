import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { on } from "./on.ts"

const SIGINT = { name: "SIGINT", status: 130 }
const interrupted = Stream.fromEffect(Effect.interrupt)

/** What pyro says on stderr after Ctrl-C in this command line. */
const said = async (
  operation: string,
  argv: ReadonlyArray<string>,
  answers: Readonly<Record<string, unknown>> = {}
) => {
  const { journal, signal } = await on(argv, {
    answers: { [operation]: () => interrupted, ...answers },
    run: () => interrupted,
    signal: SIGINT
  })
  assert.strictEqual(signal, "SIGINT", argv.join(" "))
  return journal.filter((line) => line.startsWith("err ")).join("")
}

const absent = new WorkspaceNotFound({ workspace: "fix", similar: [] })

describe("Ctrl-C says in one line what remains", () => {
  it.each<readonly [operation: string, line: string, text: string, status: unknown]>([
    ["run", "run debian:12 -- make", "the command ended, and its microVM is gone", absent],
    ["workspace.exec", "exec fix -- make", "the command ended, and fix stays", absent],
    [
      "workspace.exec",
      "exec fix --wait-seconds 9 -- make",
      "a started command goes on; its output: pyro logs fix",
      absent
    ],
    ["workspace.create", "create debian:12", "a half-made workspace does not stay", absent],
    ["workspace.create", "create debian:12 --name fix", "no workspace fix was made", absent],
    [
      "workspace.create",
      "create debian:12 --name fix",
      "the workspace fix is there; pyro delete fix deletes it",
      {}
    ],
    ["workspace.fork", "fork fix", "a half-made fork does not stay; fix is unchanged", absent],
    ["workspace.try", "try fix --command make", "the candidates are deleted, and fix is as it was", absent],
    ["workspace.rewind", "rewind fix", "the rewind is whole, or did not happen; see: pyro timeline fix", absent],
    ["workspace.export", "export fix a.txt --output /out", "/out is whole, or was not written", absent],
    ["env.pull", "env pull debian:12", "nothing of debian:12 is used; the same command starts again", absent]
  ])("%s: pyro %s", async (operation, line, text, status) => {
    const answers = { "workspace.status": status }
    assert.strictEqual(await said(operation, line.split(" "), answers), `err pyro: interrupted: ${text}\n`)
  })

  it("Ctrl-C says nothing with --quiet, and one document with --json", async () => {
    assert.strictEqual(await said("env.pull", ["env", "pull", "debian:12", "--quiet"]), "")
    assert.strictEqual(await said("env.pull", ["env", "pull", "debian:12", "--json"]), "")
  })

  it("Ctrl-C ends a display that goes on until Ctrl-C without a word", async () => {
    assert.strictEqual(await said("workspace.watch", ["watch"]), "")
  })
})
