import { Effect, Result, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { fillCandidates } from "../../../src/cli/arguments/candidates.ts"
import { FileUnreadable, Terminal } from "../../../src/cli/terminal/Terminal.ts"
import type { CandidateResult } from "../../../src/contract/rows/workspace-try-fields.ts"
import { workspaceTry } from "../../../src/contract/rows/workspace-try.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"
import { on } from "./on.ts"
import { shown } from "./shown.ts"

const { folder, remove } = temporaryFolder("pyro-cli-try-")
afterAll(remove)

const put = (name: string, text: string | Uint8Array) => {
  const file = path.join(folder, name)
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}

/** Candidates of the flags, or what is said against them. */
const filled = (lists: Readonly<Record<string, ReadonlyArray<string>>>) =>
  Effect.runSync(
    fillCandidates(workspaceTry, { raw: {}, extras: {}, lists, json: false, quiet: false }).pipe(
      Effect.provideService(Terminal, {
        readFile: (file: string) =>
          Effect.try({
            try: () => fs.readFileSync(file),
            catch: () => new FileUnreadable({ detail: `${file} cannot be read` })
          })
      } as never),
      Effect.map(({ raw }) => raw["candidates"]),
      Effect.result
    )
  )
const candidates = (lists: Parameters<typeof filled>[0]) => Result.getOrThrow(filled(lists))
const wrong = (lists: Parameters<typeof filled>[0]) => {
  const result = filled(lists)
  return Result.isFailure(result) ? result.failure.message : "nothing"
}

describe("the candidates of a command line", () => {
  it("the files of a directory are patches and scripts by their endings, in the order of their names", () => {
    put("fixes/b.patch", "two")
    put("fixes/a fix.diff", "one")
    put("fixes/c.sh", "npm update")
    put("fixes/README.md", "none")
    put("fixes/.hidden.patch", "none")
    fs.mkdirSync(path.join(folder, "fixes/d.patch"))
    assert.deepStrictEqual(candidates({ candidates: [path.join(folder, "fixes")] }), [
      { name: "a-fix", patch: "one" },
      { name: "b", patch: "two" },
      { name: "c", command: "npm update" }
    ])
  })

  it("a file of JSON has a list, or an object in each line", () => {
    const both = [{ name: "one", command: "make" }, { patch: "two" }]
    const whole = put("all.json", JSON.stringify(both, undefined, 2))
    const lines = put("all.jsonl", both.map((one) => `${JSON.stringify(one)}\n`).join("\n"))
    for (const file of [whole, lines]) assert.deepStrictEqual(candidates({ candidates: [file] }), both)
  })

  it("flags of all kinds go together", () => {
    const patch = put("alone.patch", "p")
    assert.deepStrictEqual(candidates({ patch: [patch], command: ["true", "false"] }), [
      { name: "alone", patch: "p" },
      { name: "true", command: "true" },
      { name: "false", command: "false" }
    ])
  })

  it("a command is called by its words, unless another one is or pyro means something else by them", () => {
    const names = (...command: ReadonlyArray<string>) =>
      (candidates({ command }) as ReadonlyArray<{ readonly name?: string }>).map(({ name }) => name)
    assert.deepStrictEqual(names("npm update --save react-dom && true", "npm 'audit' fix"), [
      "npm-update---save-react",
      "npm-audit-fix"
    ])
    assert.deepStrictEqual(names("make  all", "make 'all", "best", "!?"), [undefined, undefined, undefined, undefined])
  })

  it("what is no candidate is refused before anything is asked", () => {
    assert.strictEqual(wrong({}), "nothing to try; give one of --candidates, --patch, --command")
    fs.mkdirSync(path.join(folder, "empty"), { recursive: true })
    assert.include(wrong({ candidates: [path.join(folder, "empty")] }), "has no *.patch, *.diff or *.sh file")
    assert.include(wrong({ candidates: [path.join(folder, "none")] }), "--candidates: ")
    assert.include(wrong({ candidates: [put("prose", "fix it")] }), "is neither a list in JSON nor")
    assert.include(wrong({ candidates: [put("numbers", "[1]")] }), "each candidate must be an object")
    assert.include(wrong({ patch: [put("latin", Buffer.from([0xe9]))] }), "is not UTF-8")
    assert.include(wrong({ command: ["x".repeat(9_000_000)] }), "9000000 bytes together")
  })
})

describe("the table of a try", () => {
  const one = (name: string, more: Partial<CandidateResult>): CandidateResult => ({
    name,
    outcome: "passed",
    durationMs: 1500,
    tail: "",
    truncated: false,
    ...more
  })
  const rows = [
    one("slow", { outcome: "timed_out", step: "check", tail: "begins\n", status: 124 }),
    one("good", {
      step: "check",
      status: 0,
      tests: { format: "tap", passed: 5, failed: 0, skipped: 1 },
      diff: { files: 1, additions: 2, deletions: 3 },
      memoryBytes: 50 * 1024 * 1024
    }),
    one("bad", { outcome: "failed", step: "candidate", status: 7, tail: "a\u001b[31mb\nlast\n" }),
    one("unfit", { outcome: "patch_refused", step: "candidate", reason: "its lines are in no file\nbest:" }),
    one("late", { outcome: "not_started", durationMs: 0 })
  ]
  const workspace = { id: "ws-0123456789", name: "fix" } as never

  it("each candidate has a row, and those that did not pass have their reason below", async () => {
    const { err, out } = await shown("workspace.try", { candidates: rows, best: "good", workspace }, { keep: "none" })
    const lines = out.split("\n")
    assert.match(lines[0]!, /^CANDIDATE +OUTCOME +TIME +TESTS +CHANGES +MEMORY/)
    assert.match(lines[2]!, /^good +passed +1\.5 s +5 passed, 1 skipped +1 file, \+2 -3 +50[. ].*best$/)
    assert.match(lines[3]!, /^bad +failed \(7\) before the check/)
    assert.match(lines[5]!, /^late +not started +- /)
    assert.include(out, "\nslow:\n  begins\n")
    assert.include(out, "\nunfit:\n  its lines are in no file\n  best:\n")
    assert.include(out, "\n  last\n")
    assert.notInclude(out, "\u001b")
    assert.strictEqual(err, "fix is as it was\n")
  })

  it("a patch that does not fit says why when its candidate ends, before the others do", async () => {
    const { journal } = await on(["try", "fix", "--command", "true"], {
      answers: {
        "workspace.try": () =>
          Stream.make({ _tag: "Ended", result: rows[3] }, { _tag: "Done", candidates: rows, best: "good", workspace })
      }
    })
    assert.include(journal, "err unfit patch refused\n  its lines are in no file\n  best:\n")
  })

  it("the best one has its reason, and a candidate that can be kept later has its command", async () => {
    const { err, out } = await shown("workspace.try", {
      candidates: rows,
      best: "good",
      bestReason: "it passed, and bad did not",
      keepable: ["slow", "good", "bad"],
      workspace
    }, { keep: "none" })
    assert.include(out, "\nThe best is good: it passed, and bad did not\n")
    assert.strictEqual(err, "fix is as it was\nFor a day you can keep one of them: pyro keep fix good\n")
  })

  it("the kept candidate is said, and that none was", async () => {
    const kept = await shown("workspace.try", { candidates: rows, best: "good", kept: "good", workspace }, {
      keep: "best"
    })
    assert.strictEqual(kept.err, "fix is good now\n")
    assert.match(kept.out, /^good .*kept$/m)
    const none = await shown("workspace.try", { candidates: rows, best: "good", workspace }, { keep: "bad" })
    assert.strictEqual(none.err, "fix is as it was: no candidate was kept\n")
  })

  it("--keep ask shows the results, asks once, and keeps what the person names", async () => {
    const done = { _tag: "Done", candidates: rows, best: "good", keepable: ["good", "bad"], workspace }
    const asked = async (answer: string, more: Partial<Terminal["Service"]> = {}, ...words: ReadonlyArray<string>) => {
      const { called, journal, status } = await on(["try", "fix", "--command", "true", "--keep", "ask", ...words], {
        answers: {
          "workspace.try": done,
          "workspace.keep": { _tag: "Kept", kept: answer === "best" ? "good" : answer, undo: "pt-1", workspace }
        },
        terminal: {
          stdinIsTerminal: true,
          stderrIsTerminal: true,
          stdin: Stream.make(new TextEncoder().encode(`${answer}\n`)),
          ...more
        }
      })
      const calls = called.map(([name, payload]) => [name, payload as object])
      return { calls, said: journal.join("\n"), status }
    }
    const bad = await asked("bad")
    assert.deepInclude(bad.calls[0]![1], { keep: "none" })
    assert.deepStrictEqual(bad.calls[1], ["workspace.keep", { workspace: "ws-0123456789", candidate: "bad" }])
    assert.match(
      bad.said,
      /CANDIDATE[^]*Which candidate shall fix become\? good \(best\), bad \[none\] [^]*fix is bad now\. Undo: pyro rewind fix/
    )
    assert.strictEqual(bad.status, 0)
    assert.deepInclude((await asked("best")).calls[1]![1], { candidate: "good" })
    const none = await asked("")
    assert.deepStrictEqual([none.calls.length, none.status], [1, 0])
    const other = await asked("slow")
    assert.deepStrictEqual([other.calls.length, other.status], [1, 1])
    assert.include(other.said, "slow cannot be kept. Nothing is kept. For a day: pyro keep fix CANDIDATE")
    for (
      const refused of [
        await asked("bad", { stdinIsTerminal: false }),
        await asked("bad", { stderrIsTerminal: false }),
        await asked("bad", {}, "--json")
      ]
    ) {
      assert.deepStrictEqual([refused.calls.length, refused.status], [0, 2])
      assert.match(refused.said, /ask (needs a terminal|does not go together with --json)/)
    }
  })

  it("the exit status says whether one passed, or was kept", () => {
    const status = (keep: string, more: object) =>
      workspaceTry.exitStatus!({ candidates: rows, ...more } as never, { keep } as never)
    assert.deepStrictEqual([status("none", {}), status("none", { candidates: [rows[0]!] })], [0, 1])
    assert.deepStrictEqual([status("best", { kept: "good" }), status("best", {})], [0, 1])
  })
})
