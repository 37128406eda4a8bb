import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import { PatchRejected, WorkspaceNotFound } from "../../src/contract/errors/errors.ts"
import type { FileContent, FileEntry } from "../../src/contract/rows/workspace-file.ts"
import { call, fakePyro, textOf } from "./fakes.ts"
import { printing } from "./printing.ts"
import { fails, succeeds } from "./results.ts"

describe("failures", () => {
  it("a failure has its code, the fact and the next call in one text", async () => {
    const pyro = fakePyro({
      status: () => new WorkspaceNotFound({ workspace: "fix", similar: ["fox"] }),
      patch: {
        apply: () =>
          new PatchRejected({
            detail: "it does not fit",
            rejects: Array.from({ length: 200 }, (_, at) => ({ path: `src/${at}.ts`, hunk: at, reason: "other lines" }))
          })
      }
    })
    fails(await call(pyro, "workspace_status", { workspace_id: "fix" }), "workspace_not_found: no workspace \"fix\"")
    fails(await call(pyro, "workspace_patch_apply", { workspace_id: "fix", patch: "x" }), "patch_rejected: ")
  })

  it("a defect of pyro is reported as a failure", async () => {
    fails(
      await call(fakePyro({ status: () => Effect.die(new Error("impossible")) }), "workspace_status", {
        workspace_id: "a"
      }),
      "internal_error: a defect of pyro itself: Error: impossible"
    )
  })
})

const told = async (...[pyro, args]: [ReturnType<typeof printing>, Record<string, unknown>]) =>
  succeeds("workspace_exec", await call(pyro, "workspace_exec", { workspace_id: "fix", ...args })) as unknown as {
    readonly state: string
    readonly exit_code: number | null
    readonly stdout: string
    readonly stderr: string
    readonly truncated: boolean
    readonly exec_id: string
    readonly next_cursor: string | null
  }

describe("workspace_exec", () => {
  it("workspace_exec shows the outcome first, then both streams", async () => {
    const pyro = printing([["stdout", "out\n"], ["stderr", "err\n"]])
    const result = await call(pyro, "workspace_exec", { workspace_id: "fix", command: "make" })
    const { exec_id } = result.structuredContent as unknown as { readonly exec_id: string }
    assert.strictEqual(textOf(result), `exit 3 in 2.3 s (exec_id ${exec_id.slice(0, 8)})\nout\nstderr:\nerr\n`)
    const { exit_code, next_cursor, state, stderr, stdout, truncated } = await told(pyro, { command: "make" })
    assert.deepStrictEqual(
      { exit_code, next_cursor, state, stderr, stdout, truncated },
      { exit_code: 3, next_cursor: null, state: "exited", stderr: "err\n", stdout: "out\n", truncated: false }
    )
  })

  it("workspace_exec shows the beginning and end of long output, and pages of the rest", async () => {
    const lines = Array.from({ length: 5_000 }, (_, at) => `line ${at}\n`)
    const all = lines.join("")
    const pyro = printing([["stdout", all.slice(0, 10_000)], ["stdout", all.slice(10_000)]])
    const first = await told(pyro, { command: "make" })
    assert.isTrue(first.truncated)
    assert.isTrue(first.stdout.startsWith("line 0\nline 1\n"))
    assert.isTrue(first.stdout.endsWith("line 4999\n"))
    const [, head = "", tail = ""] = /^([^[]*)\[\.\.\. \d+ bytes omitted; [^\n]*\n([^]*)$/.exec(first.stdout) ?? []
    let middle = ""
    let { next_cursor } = first
    while (next_cursor !== null) {
      const page = await told(pyro, { exec_id: first.exec_id, cursor: next_cursor })
      assert.notStrictEqual(page.stdout, "")
      middle += page.stdout
      next_cursor = page.next_cursor
    }
    assert.strictEqual(head + middle + tail, all)
  })

  it.each([
    ["one long line", "x".repeat(100_000)],
    ["what JSON escapes", "\u0001\"\\\n".repeat(20_000)],
    ["what is no text at all", "\u0080\u0000".repeat(50_000)],
    ["characters of several bytes", "ä€𝄞".repeat(20_000)]
  ])("workspace_exec limits %s and cuts between characters", async (_, text) => {
    const { stdout } = await told(printing([["stdout", text], ["stderr", text]]), { command: "make" })
    assert.notInclude(stdout, "\ufffd")
  })

  it("workspace_exec returns a command that outlasts the wait, with the call to continue", async () => {
    const pyro = printing([["stdout", "so far\n"]], false)
    const { exit_code, next_cursor, state } = await told(pyro, { command: "make" })
    assert.deepStrictEqual({ exit_code, next_cursor, state }, { exit_code: null, next_cursor: "7", state: "running" })
    const later = await told(printing([["stdout", "so far\nmore\n"]]), { exec_id: "0".repeat(32), cursor: "7" })
    assert.strictEqual(later.stdout, "more\n")
  })

  it("workspace_exec requires either a command or an exec_id", async () => {
    const pyro = printing([])
    const exec = (args: object) => call(pyro, "workspace_exec", { workspace_id: "fix", ...args })
    fails(await exec({}), "invalid_request: command: ")
    fails(await exec({ command: "ls", exec_id: "0".repeat(32) }), "invalid_request: command: ")
    fails(await exec({ exec_id: "0".repeat(32), cursor: "a" }), "invalid_request: cursor: ")
    fails(await exec({ exec_id: "nope" }), "invalid_request: exec_id: must be 32 lower-case hexadecimal digits")
    fails(await exec({ command: "ls", wait_seconds: -1 }), "invalid_request: wait_seconds: ")
  })
})

describe("workspace_file_read", () => {
  const read = async (text: string, more: Partial<FileContent>) => {
    const file = { path: "one.txt", text, binary: false, lossy: false, truncated: false, startLine: 1, sizeBytes: 9 }
    const pyro = fakePyro({
      file: {
        ...fakePyro({}).workspace.file,
        read: () => Effect.succeed({ ...file, mode: "0644", version: "00", ...more })
      }
    })
    const result = await call(pyro, "workspace_file_read", { workspace_id: "a", path: "one.txt" })
    const { cut_line, next_line, text: told } = succeeds("workspace_file_read", result)
    const notes = textOf(result).split("\n").filter((line) => line.startsWith("["))
    return { cut: cut_line, next: next_line, told, notes }
  }
  const rest = (from: number) =>
    "[line 1 is too long and cut; read the rest with workspace_exec: " +
    `sed -n 1p FILE | tail -c +${from} | head -c 6500]`

  it("workspace_file_read reports a cut line and how to read the rest", async () => {
    const long = "ä".repeat(4_000)
    assert.deepStrictEqual(
      await read(long, { truncated: true, lineCount: 1, totalLines: 1, cutLine: 1 }),
      { cut: 1, next: null, told: long, notes: [rest(8_001)] } as never
    )
  })

  it("workspace_file_read cuts long JSON at a line's end, and inside only the first line", async () => {
    const quotes = "\"".repeat(5_000)
    assert.deepStrictEqual(
      await read(`a\n${quotes}\n`, { lineCount: 2, totalLines: 2 }),
      { cut: null, next: 2, told: "a\n", notes: ["[more: call again with start_line 2]"] } as never
    )
    const only = await read(`${quotes}\n`, { lineCount: 1, totalLines: 1 })
    assert.deepStrictEqual([only.cut, only.next, only.notes], [1, null, [rest(3_251)]] as never)
    const first = await read(`${quotes}\nb\n`, { lineCount: 2, totalLines: 2 })
    assert.deepStrictEqual([first.cut, first.next], [1, 2] as never)
  })
})

describe("long lists", () => {
  const entries = Array.from({ length: 350 }, (_, at): FileEntry => ({
    path: `src/${"folder/".repeat(at % 5)}file-${String(at).padStart(4, "0")}.ts`,
    type: "file",
    sizeBytes: at,
    mode: "0644"
  }))

  it("long lists come in pages", async () => {
    const pyro = fakePyro({
      file: {
        ...fakePyro({}).workspace.file,
        list: () => Effect.succeed({ path: ".", entries, truncated: false, total: entries.length })
      }
    })
    const seen: Array<string> = []
    let cursor: string | null = null
    do {
      const page = succeeds(
        "workspace_file_list",
        await call(pyro, "workspace_file_list", { workspace_id: "a", cursor })
      )
      const { entries: some, next_cursor, omitted } = page as unknown as {
        readonly entries: ReadonlyArray<{ readonly path: string }>
        readonly next_cursor: string | null
        readonly omitted: number
      }
      assert.strictEqual(omitted, 0)
      seen.push(...some.map(({ path }) => path))
      cursor = next_cursor
    } while (cursor !== null)
    assert.deepStrictEqual(seen, entries.map(({ path }) => path))
  })

  it("long lists without pages are cut and counted", async () => {
    const files = entries.map(({ path }) => ({ path, change: "modified" as const }))
    const pyro = fakePyro({
      patch: { apply: () => Effect.succeed({ applied: true, filesChanged: files.length, files, notes: [] }) }
    })
    const result = await call(pyro, "workspace_patch_apply", { workspace_id: "a", patch: "x" })
    const { files: some, omitted } = succeeds("workspace_patch_apply", result) as unknown as {
      readonly files: ReadonlyArray<unknown>
      readonly omitted: number
    }
    assert.isAbove(omitted, 0)
    assert.strictEqual(some.length + omitted, files.length)
    assert.isTrue(textOf(result).startsWith("applied: 350 files changed\n"))
  })
})

describe("workspace_diff", () => {
  const patch = Array.from({ length: 30 }, (_, at) => `diff --git a/${at} b/${at}\n${"+x\n".repeat(200)}`).join("")
  const pyro = (digest: string) =>
    fakePyro({
      diff: () =>
        Effect.succeed({
          summary: {
            files: 30,
            added: 30,
            modified: 0,
            deleted: 0,
            renamed: 0,
            typeChanged: 0,
            additions: 6_000,
            deletions: 0
          },
          files: Array.from({ length: 30 }, (_, at) => ({ path: String(at), status: "added" as const, size: 600 })),
          unlisted: 0,
          ignoredCount: 0,
          specialCount: 0,
          verified: false,
          patch,
          patchBytes: patch.length,
          truncated: false,
          lossy: false,
          digest
        })
    })

  it("workspace_diff pages the patch by files and notices a change between pages", async () => {
    let whole = ""
    let cursor: string | null = null
    do {
      const page = succeeds("workspace_diff", await call(pyro("ab12"), "workspace_diff", { workspace_id: "a", cursor }))
      const { next_cursor, patch: text } = page as unknown as {
        readonly patch: string
        readonly next_cursor: string | null
      }
      assert.isTrue(text.startsWith("diff --git "))
      whole += text
      if (next_cursor !== null) {
        fails(
          await call(pyro("cd34"), "workspace_diff", { workspace_id: "a", cursor: next_cursor }),
          "invalid_request: cursor: the diff has changed"
        )
      }
      cursor = next_cursor
    } while (cursor !== null)
    assert.strictEqual(whole, patch)
  })
})

describe("workspace_compare", () => {
  const nothing = {
    files: 0,
    added: 0,
    modified: 0,
    deleted: 0,
    renamed: 0,
    typeChanged: 0,
    additions: 0,
    deletions: 0
  }
  const result = { files: [], unlisted: 0, ignoredCount: 0, specialCount: 0, verified: false, patch: "", digest: "ab" }

  it("workspace_compare passes both names on and shows differences as workspace_diff does", async () => {
    let asked: ReadonlyArray<string> = []
    const pyro = fakePyro({
      compare: ({ from, to, verified }) => {
        asked = [from, to, String(verified)]
        return Effect.succeed({
          ...result,
          summary: { ...nothing, files: 1, modified: 1, additions: 2 },
          files: [{ path: "a b", status: "modified", size: 3, additions: 2, deletions: 0 }],
          patch: "diff --git a/a b b/a b\n",
          truncated: true
        })
      }
    })
    const answer = await call(pyro, "workspace_compare", { from: "x@green", to: "x", verified: true })
    assert.strictEqual((succeeds("workspace_compare", answer) as { files_changed?: number }).files_changed, 1)
    assert.deepStrictEqual(asked, ["x@green", "x", "true"])
    assert.strictEqual(
      textOf(answer),
      "1 file differs, +2 -0\nmodified a b +2 -0\ndigest ab\ndiff --git a/a b b/a b\n\n" +
        "[the patch is longer; compare by paths]"
    )
  })

  it("workspace_compare reports equal sides and refuses invalid names", async () => {
    const pyro = fakePyro({ compare: () => Effect.succeed({ ...result, summary: nothing }) })
    const answer = await call(pyro, "workspace_compare", { from: "a", to: "b" })
    assert.isTrue(textOf(answer).startsWith("nothing differs"))
    const typo = fakePyro({
      compare: () => Effect.succeed({ ...result, summary: nothing, files: [], missingPaths: ["typo"] })
    })
    const missing = await call(typo, "workspace_compare", { from: "a", to: "b", paths: ["typo"] })
    assert.isTrue(textOf(missing).startsWith("no such path: typo\n"), textOf(missing))
    assert.deepStrictEqual(
      (succeeds("workspace_compare", missing) as { readonly files?: unknown }).files,
      [{ path: "typo", from: null, status: "no_such_path", additions: 0, deletions: 0, binary: false }]
    )
    const odd = await call(pyro, "workspace_compare", { from: "a@", to: "b" })
    fails(odd, "invalid_request: from: must be a workspace's")
    fails(await call(pyro, "workspace_compare", { from: "a" }), "invalid_request: to")
  })
})

describe("a row that has no arguments for models, nor a text", () => {
  it("a row without MCP arguments or text is a tool with plain text", async () => {
    const { snapshot } = fakePyro({}).workspace
    const pyro = fakePyro({ snapshot: { ...snapshot, delete: ({ name }) => Effect.succeed({ deleted: name }) } })
    const result = await call(pyro, "workspace_snapshot_delete", { workspace_id: "a", name: "b" })
    assert.deepStrictEqual(succeeds("workspace_snapshot_delete", result), { deleted: "b" } as never)
    assert.strictEqual(textOf(result), "Delete a snapshot: done\ndeleted: b")
  })
})
