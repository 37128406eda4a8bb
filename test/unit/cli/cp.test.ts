import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it, vi } from "vitest"
import { type ImportPayload, MAX_STDIN_BYTES } from "../../../src/contract/rows/workspace-import.ts"
import { on } from "./on.ts"

const SUMMARY = {
  output: "/x",
  kind: "file",
  files: 1,
  directories: 0,
  symlinks: 0,
  bytes: 1,
  skippedCount: 0,
  skipped: [],
  executableConfig: [],
  warnings: []
}
const IMPORTED = { path: "/etc/x", kind: "file", files: 1, symlinks: 0, bytes: 1, skippedCount: 0, skipped: [] }
const answers = { "workspace.export": [{ _tag: "Exported", summary: SUMMARY }], "workspace.import": IMPORTED }

const asked = async (line: string) => {
  const { called, journal, status } = await on(line.split(" "), { answers })
  assert.strictEqual(status, 0, journal.join(""))
  return called[0] as readonly [string, Readonly<Record<string, unknown>>]
}

const said = async (line: string) => {
  const { called, journal, status } = await on(line.split(" "), { answers })
  assert.deepStrictEqual([status, called.length], [2, 0], line)
  return journal.join("")
}

/** What an import of these pieces of stdin asks for, and what its file had then. */
const piped = async (line: string, pieces: ReadonlyArray<Uint8Array>) => {
  let taken: { readonly bytes: number; readonly mode: number; readonly folderMode: number } | undefined
  const take = ({ sourcePath }: ImportPayload) => {
    if (sourcePath === "-") return IMPORTED
    const [{ mode, size }, folder] = [fs.statSync(sourcePath), fs.statSync(path.dirname(sourcePath))]
    taken = { bytes: size, mode: mode & 0o777, folderMode: folder.mode & 0o777 }
    return IMPORTED
  }
  const { called, journal, status } = await on(line.split(" "), {
    answers: { "workspace.import": take },
    terminal: { stdin: Stream.fromIterable(pieces) }
  })
  return { journal, payload: called[0]?.[1] as ImportPayload | undefined, status, taken }
}

describe("pyro cp", () => {
  it("copies out of a workspace as an export", async () => {
    const [name, payload] = await asked("cp -r fix:/tmp/report ./no-such/report --max-mib 5")
    assert.strictEqual(name, "workspace.export")
    assert.deepInclude(payload, {
      workspace: "fix",
      path: "/tmp/report",
      overwrite: false,
      maxMib: 5,
      preserveTimes: true
    })
    assert.match(String(payload["output"]), /^\/.*\/no-such\/report$/)
    const [, all] = await asked("workspace cp fix: ./no-such --overwrite --allow-executable-config")
    assert.deepInclude(all, { path: ".", overwrite: true, allowExecutableConfig: true })
    const [, odd] = await asked("cp -- fix:-odd ./-odd")
    assert.deepInclude(odd, { path: "-odd", allowExecutableConfig: false })
  })

  it("a directory of the host gets the copy under its own name", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-cp-"))
    try {
      for (const [target, output] of [[folder, "a.txt"], [`${folder}/new/`, "new/a.txt"], [`${folder}/b`, "b"]]) {
        const [, payload] = await asked(`cp fix:in/a.txt ${target}`)
        assert.strictEqual(payload["output"], `${folder}/${output}`)
      }
      const [, contents] = await asked(`cp fix:in/. ${folder}`)
      assert.strictEqual(contents["output"], folder)
    } finally {
      fs.rmSync(folder, { recursive: true })
    }
  })

  it("copies to stdout, where no tool loads the file", async () => {
    const [, payload] = await asked("cp fix:.envrc -")
    assert.deepInclude(payload, { path: ".envrc", output: "-", allowExecutableConfig: true })
    assert.include(await said("cp fix:a - --json"), "both are stdout")
  })

  it("copies into a workspace as an import", async () => {
    const [name, payload] = await asked("cp -r conf/app.conf fix:/etc/app.conf --overwrite --allow-home")
    assert.strictEqual(name, "workspace.import")
    assert.deepInclude(payload, { workspace: "fix", path: "/etc/app.conf", allowHome: true })
    assert.match(String(payload["sourcePath"]), /^\/.*\/conf\/app\.conf$/)
    assert.notProperty(payload, "content")
    const [, home] = await asked("cp ./a:b fix:")
    assert.deepInclude(home, { path: "/workspace" })
    assert.match(String(home["sourcePath"]), /\/a:b$/)
  })

  it("copies stdin into a workspace", async () => {
    for (const line of ["cp - fix:/etc/stamp", "workspace import fix - /etc/stamp"]) {
      const { payload } = await piped(line, [Buffer.from("now"), Buffer.from("\n")])
      assert.deepInclude(payload, { sourcePath: "-", path: "/etc/stamp" })
      assert.notProperty(payload, "unnamed")
      assert.deepStrictEqual(Buffer.from(payload?.content ?? []).toString(), "now\n")
    }
    const { payload } = await piped("cp - fix:/etc/stamp", [])
    assert.strictEqual(payload?.content?.length, 0)
  })

  it("copies a stdin that is longer than a request by a file, which is gone afterwards", async () => {
    const piece = Buffer.alloc(MAX_STDIN_BYTES / 4, "x")
    const { payload, taken } = await piped("cp - fix:/srv/image", [piece, piece, piece, piece, Buffer.from("end")])
    assert.deepInclude(payload, { unnamed: true, path: "/srv/image" })
    assert.notProperty(payload, "content")
    assert.deepStrictEqual([taken?.bytes, taken?.mode, taken?.folderMode], [MAX_STDIN_BYTES + 3, 0o644, 0o700])
    assert.isFalse(fs.existsSync(path.dirname(payload?.sourcePath ?? "/")))
  })

  it("a stdin with more than --max-mib is refused before anything is copied", async () => {
    const before = fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("pyro-stdin-"))
    const piece = Buffer.alloc(MAX_STDIN_BYTES, "x")
    const { journal, payload, status } = await piped("cp - fix:/srv/image --max-mib 9", [piece, piece])
    assert.deepStrictEqual([status, payload], [2, undefined])
    assert.include(journal.join(""), "<source>: stdin has more than 9 MiB; allow more with --max-mib")
    assert.deepStrictEqual(fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith("pyro-stdin-")), before)
  })

  it("a temporary directory that takes nothing is named", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-cp-"))
    const gone = path.join(folder, "gone")
    vi.stubEnv("TMPDIR", gone)
    try {
      const { journal, status } = await piped("cp - fix:/srv/image", [Buffer.alloc(MAX_STDIN_BYTES + 1)])
      assert.deepStrictEqual(status, 2)
      assert.include(journal.join(""), `<source>: nothing can be kept in ${gone}, which TMPDIR names: ENOENT`)
    } finally {
      vi.unstubAllEnvs()
      fs.rmSync(folder, { recursive: true })
    }
  })

  it("refuses words that name no direction, and options of the other one", async () => {
    assert.include(await said("cp a b"), "one of the two is WORKSPACE:PATH")
    assert.include(await said("cp - -"), "one of the two is WORKSPACE:PATH")
    assert.include(await said("cp fix:a other:b"), "between the host and one workspace")
    assert.include(await said("cp fix:a"), "target: missing")
    assert.include(await said("cp a fix:b --allow-secrets"), "--allow-secrets: is about copies to the host")
    assert.include(await said("cp fix:a ./b --allow-home"), "--allow-home: is about copies to a workspace")
    assert.include(await said("cp fix:a ./b --max-mib 0"), "--max-mib")
    assert.include(await said("cp fix:a ./b ./c"), "unexpected")
  })

  it("a guest's file on a terminal is escaped, and a pipe gets each byte", async () => {
    // A character and a sequence that are cut between two pieces.
    const bytes = new TextEncoder().encode("é\u001b]52;c;ZXZpbA==\u0007\u009b6n\n")
    const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 3), bytes.subarray(3)]
    const shown = async (line: string, stdoutIsTerminal: boolean) => {
      const written: Array<Uint8Array | string> = []
      await on(line.split(" "), {
        answers: {
          "workspace.export": [
            ...pieces.map((piece) => ({ _tag: "Output", bytes: piece })),
            { _tag: "Exported", summary: { ...SUMMARY, output: "-" } }
          ]
        },
        terminal: {
          stdoutIsTerminal,
          writeStdout: (data) => Effect.sync(() => void written.push(data))
        }
      })
      return Buffer.concat(written.map((one) => Buffer.from(one)))
    }
    for (const line of ["cp fix:evil -", "export fix evil --output -", "export fix --patch --output -"]) {
      const onTerminal = await shown(line, true)
      assert.strictEqual(onTerminal.toString(), "é\\x1b]52;c;ZXZpbA==\\x07\\x9b6n\n", line)
      assert.isTrue((await shown(line, false)).equals(bytes), line)
    }
  })

  it("each warning of an export is shown once, whether it came as a notice or at the end", async () => {
    const { journal } = await on(["export", "fix", "a", "--output", "x"], {
      answers: {
        "workspace.export": [
          { _tag: "Notice", level: "warning", message: "early" },
          { _tag: "Exported", summary: { ...SUMMARY, warnings: [{ message: "late" }] } }
        ]
      }
    })
    for (const one of ["early", "late"]) {
      assert.lengthOf(journal.join("").split(`pyro: warning: ${one}\n`), 2, one)
    }
  })
})
