import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { unfakedPyro } from "../support/daemon/unfaked-pyro.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { printing } from "./printing.ts"
import { succeeds } from "./results.ts"

const ESC = "\u001b"
const workspace = { workspace_id: "fix" }

/** A window's title by C1, bidirectional overrides, and a word of tags (U+E0000 and on) that only a model sees. */
const HIDDEN = "\u009d0;t\u009c\u202eevil\u2066\u200b\u{e0068}\u{e0069}"
const SHOWN = "\\x9d0;t\\x9c\\u202eevil\\u2066\\u200b\\u{e0068}\\u{e0069}"

interface Told {
  readonly stdout: string
  readonly stderr: string
  readonly exec_id: string
  readonly next_cursor: string | null
}

const exec = async (pyro: ReturnType<typeof printing>, args: object) =>
  succeeds("workspace_exec", await call(pyro, "workspace_exec", { ...workspace, ...args })) as unknown as Told

describe("what a model reads of a command's output", () => {
  it("output for a model has no terminal codes in either half, and raw has all of them as escapes", async () => {
    const pyro = printing([["stdout", `${ESC}[32mok${ESC}[0m\n`], ["stderr", " 1%\r99%\n"]])
    const result = await call(pyro, "workspace_exec", { ...workspace, command: "make" })
    assert.match(textOf(result), /^exit 3 in 2\.3 s \(exec_id [0-9a-f]{8}\)\nok\nstderr:\n99%\n$/)
    assert.deepInclude(result.structuredContent, { stdout: "ok\n", stderr: "99%\n" })
    const raw = await exec(pyro, { command: "make", raw: true })
    assert.deepInclude(raw as object, { stdout: "\\x1b[32mok\\x1b[0m\n", stderr: " 1%\\x0d99%\n" })
  })

  it("the pages of coloured and redrawn output are complete", async () => {
    const lines = Array.from({ length: 4_000 }, (_, at) => `line ${at}\n`)
    const coloured = lines.map((line, at) => at % 7 === 0 ? `wait\r${line}` : `${ESC}[3${at % 8}m${line}${ESC}[0m`)
    const pieces = Array.from(
      { length: 40 },
      (_, at) => ["stdout", coloured.slice(100 * at, 100 * at + 100).join("")] as const
    )
    const pyro = printing(pieces)
    const first = await exec(pyro, { command: "make" })
    const [, head = "", tail = ""] = /^([^[]*)\[\.\.\. \d+ bytes omitted; [^\n]*\n([^]*)$/.exec(first.stdout) ?? []
    let middle = ""
    let { next_cursor } = first
    for (let page = 0; next_cursor !== null; page++) {
      assert.isBelow(page, 100, "the pages do not end")
      const told = await exec(pyro, { exec_id: first.exec_id, cursor: next_cursor })
      middle += told.stdout
      next_cursor = told.next_cursor
    }
    assert.strictEqual(head + middle + tail, lines.join(""))
  })

  it("a page that begins inside a terminal code shows no rest of the code", async () => {
    const begun = await exec(printing([["stdout", `a${ESC}[3`]], false), { command: "make" })
    assert.deepInclude(begun as object, { stdout: "a", next_cursor: "1" })
    const rest = printing([["stdout", `a${ESC}[31mred\n`]])
    assert.strictEqual((await exec(rest, { exec_id: begun.exec_id, cursor: begun.next_cursor })).stdout, "red\n")
  })

  it("workspace_logs and vm_run remove terminal codes unless raw is true", async () => {
    const output = `${ESC}]8;;https://x${ESC}\\link${ESC}]8;;${ESC}\\\n`
    const logs = fakePyro({ logs: () => Effect.succeed({ commands: [], output }) })
    assert.strictEqual(textOf(await call(logs, "workspace_logs", { ...workspace, exec_id: "0".repeat(32) })), "link\n")
    const run = {
      ...fakePyro({}),
      run: () =>
        Stream.make(
          { _tag: "Output" as const, from: "stdout" as const, bytes: new TextEncoder().encode(output) },
          {
            _tag: "Exited" as const,
            outcome: "exited" as const,
            status: 0,
            durations: { totalMs: 1, bootMs: 0, commandMs: 1 }
          }
        )
    }
    assert.strictEqual(textOf(await call(run, "vm_run", { command: "ls" })), "exit 0 in 1 ms\nlink\n")
    const raw = await call(run, "vm_run", { command: "ls", raw: true })
    assert.include(textOf(raw), output.replaceAll(ESC, "\\x1b"))
    assert.deepInclude(raw.structuredContent, { stdout: output.replaceAll(ESC, "\\x1b") })
  })

  it("both halves show what a reader would not see", async () => {
    const output = `${HIDDEN} क्‍ष 👩‍💻\r\n`
    const result = await call(printing([["stdout", output]]), "workspace_exec", {
      ...workspace,
      command: "x",
      raw: true
    })
    assert.strictEqual(textOf(result).replace(/.*\n/, ""), `${SHOWN} क्‍ष 👩‍💻\r\n`)
    assert.deepInclude(result.structuredContent, { stdout: `${SHOWN} क्‍ष 👩‍💻\r\n` })
    const file = {
      ...unfakedPyro.workspace.file,
      list: () =>
        Effect.succeed({
          path: "/workspace",
          entries: [{ path: HIDDEN, type: "file" as const, sizeBytes: 1, mode: "0644", modifiedAt: "" }],
          truncated: false
        } as never)
    }
    const listed = await call(fakePyro({ file }), "workspace_file_list", workspace)
    assert.include(textOf(listed), `${SHOWN}  1 B`)
    assert.include(JSON.stringify(listed.structuredContent), JSON.stringify(SHOWN))
  })

  it("escapes count in the length of a result, whose pages lose nothing", async () => {
    const output = "\u009b\u200b\u{e0068}".repeat(3_000)
    const pyro = printing([["stdout", output]])
    const first = await exec(pyro, { command: "x" })
    assert.isNotNull(first.next_cursor)
    const [, head = "", tail = ""] = /^([^[]*)\n\[\.\.\. \d+ bytes omitted; [^\n]*\n([^]*)$/.exec(first.stdout) ?? []
    let middle = ""
    let next_cursor: string | null = first.next_cursor
    while (next_cursor !== null) {
      const told: Told = await exec(pyro, { exec_id: first.exec_id, cursor: next_cursor })
      assert.notStrictEqual(told.stdout, "")
      middle += told.stdout
      next_cursor = told.next_cursor
    }
    assert.strictEqual(head + middle + tail, "\\x9b\\u200b\\u{e0068}".repeat(3_000))
  })
})
