import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import { assert, describe, it } from "vitest"
import { WorkspaceNotFound } from "../../../src/contract/errors/errors.ts"
import { folderWith } from "../project/folder.ts"
import { on, REAL_TERMINAL } from "./on.ts"

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

const SSH_CONFIG = {
  id: "ws-1",
  name: "fix",
  host: "pyro-fix",
  user: "root",
  cwd: "/workspace",
  identityFile: "/s/key",
  knownHostsFile: "/s/known_hosts",
  hostKey: "ssh-ed25519 AAAA"
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

  it("Ctrl-C in a step of the tour ends the tour, which deletes its workspaces", async () => {
    const { called, journal, signal } = await on(["demo"], {
      answers: { "workspace.create": () => interrupted, "workspace.delete": { deleted: [], names: [] } },
      signal: SIGINT
    })
    assert.strictEqual(signal, "SIGINT", journal.join(""))
    assert.deepStrictEqual(called.map(([name]) => name), ["workspace.create", "workspace.delete", "workspace.delete"])
    const said = journal.filter((line) => line.startsWith("err "))
    assert.deepStrictEqual(said, ["err pyro: interrupted: the tour ended, and its workspaces are deleted\n"])
  })

  it.each<readonly [operation: string, line: string, remains: string]>([
    ["env.build", "codex --seed-path HOME", "a half-made workspace does not stay"],
    ["workspace.create", "codex --seed-path HOME", "a half-made workspace does not stay"],
    ["workspace.start", "codex --workspace fix", "fix stays"]
  ])("%s: pyro agent %s has not begun the agent", async (operation, line, remains) => {
    const home = folderWith({})
    const { called, journal, signal } = await on(["agent", ...line.replace("HOME", home).split(" ")], {
      answers: {
        "env.list": { environments: [] },
        "env.build": { _tag: "Ready", environment: {} },
        "workspace.list": { workspaces: [] },
        "workspace.status": { id: "ws-1", name: "fix", environment: "codex:1-debian_12", state: "stopped" },
        [operation]: () => interrupted
      },
      terminal: { variable: (name) => ({ HOME: home, OPENAI_API_KEY: "correct-horse-battery" })[name] },
      signal: SIGINT
    })
    assert.strictEqual(signal, "SIGINT", journal.join(""))
    assert.strictEqual(called.at(-1)?.[0], operation)
    const text = `pyro: interrupted: codex did not start; ${remains}, and your files are unchanged\n`
    assert.deepStrictEqual(journal.filter((said) => said.includes("interrupted")), [`err ${text}`])
  })

  it("pyro code says at its question what remains, and writes nothing", async () => {
    const home = folderWith({})
    const { journal, signal } = await on(["code", "fix"], {
      answers: { "workspace.ssh.config": SSH_CONFIG },
      terminal: {
        ...REAL_TERMINAL,
        stdin: interrupted,
        variable: (name) => name === "HOME" ? home : undefined
      },
      signal: SIGINT
    })
    assert.strictEqual(signal, "SIGINT", journal.join(""))
    assert.strictEqual(journal.at(-1), "err pyro: interrupted: no editor was opened, and fix stays\n")
    assert.isTrue(journal.some((said) => /^err Write .* \[y\/N\] $/.test(said)), journal.join(""))
    assert.deepStrictEqual(fs.readdirSync(home), [])
  })

  it("Ctrl-C says nothing with --quiet, and one document with --json", async () => {
    assert.strictEqual(await said("env.pull", ["env", "pull", "debian:12", "--quiet"]), "")
    assert.strictEqual(await said("env.pull", ["env", "pull", "debian:12", "--json"]), "")
  })

  it("Ctrl-C ends a display that goes on until Ctrl-C without a word", async () => {
    assert.strictEqual(await said("workspace.watch", ["top", "--follow"]), "")
  })
})
