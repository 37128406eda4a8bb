import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
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

const asked = async (line: string, files: Readonly<Record<string, Uint8Array>> = {}) => {
  const { called, journal, status } = await on(line.split(" "), { answers, files })
  assert.strictEqual(status, 0, journal.join(""))
  return called[0] as readonly [string, Readonly<Record<string, unknown>>]
}

const said = async (line: string) => {
  const { called, journal, status } = await on(line.split(" "), { answers })
  assert.deepStrictEqual([status, called.length], [2, 0], line)
  return journal.join("")
}

describe("pyro cp", () => {
  it("copies out of a workspace as an export", async () => {
    const [name, payload] = await asked("cp -r fix:/tmp/report ./no-such/report --max-mib 5")
    assert.strictEqual(name, "workspace.export")
    assert.deepInclude(payload, { workspace: "fix", path: "/tmp/report", overwrite: false, maxMib: 5 })
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
      const [, payload] = await asked(line, { "-": Buffer.from("now\n") })
      assert.deepInclude(payload, { sourcePath: "-", path: "/etc/stamp" })
      assert.deepStrictEqual(Buffer.from(payload["content"] as Uint8Array).toString(), "now\n")
    }
  })

  it("refuses words that name no direction, and options of the other one", async () => {
    assert.include(await said("cp a b"), "one of the two is WORKSPACE:PATH")
    assert.include(await said("cp - -"), "one of the two is WORKSPACE:PATH")
    assert.include(await said("cp fix:a other:b"), "between the host and one workspace")
    assert.include(await said("cp fix:a"), "missing <target>")
    assert.include(await said("cp a fix:b --allow-secrets"), "--allow-secrets: is about copies to the host")
    assert.include(await said("cp fix:a ./b --allow-home"), "--allow-home: is about copies to a workspace")
    assert.include(await said("cp fix:a ./b --max-mib 0"), "--max-mib")
    assert.include(await said("cp fix:a ./b ./c"), "unexpected")
  })
})
