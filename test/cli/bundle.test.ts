import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"

const dist = path.resolve(import.meta.dirname, "../../dist")
const read = (name: string) => fs.readFileSync(path.join(dist, name), "utf8")

const namedIn = (text: string) => text.match(/[a-z]+(-[a-z]+)*-[0-9a-f]{16}\.cjs/g) ?? []
const main = () => namedIn(read("pyro.js")).find((name) => name.startsWith("main-"))!

describe("the built program", () => {
  it("the built program consists of src and packages alone, without the driver for tests that isolates nothing", () => {
    /** Relative to the project. */
    const sources: ReadonlyArray<string> = JSON.parse(read(`${main()}.map`)).sources
    assert.include(sources, "src/lib/vm/driver/qemu/vmm.ts")
    assert.deepStrictEqual(sources.filter((source) => !/^(src\/|node_modules\/|unused:|builtin:)/.test(source)), [])
    assert.deepStrictEqual(sources.filter((source) => /local-agent/.test(source)), [])
    // It evaluates every part of Effect that any module of the bundle uses.
    assert.include(sources, "node_modules/effect/src/Effect.ts")
    assert.notInclude(sources, "node_modules/effect/src/index.ts")
  })

  it("no part of the built program generates test data, which is what Effect's Schema has fast-check for", () => {
    const parts = [...new Set([...namedIn(read("pyro.js")), ...namedIn(read(main()))])]
    assert.sameMembers(parts.map((name) => name.replace(/-[0-9a-f]{16}\.cjs$/, "")), [
      "main",
      "mcp-handshake",
      "quick-exec",
      "mcp-sdk",
      "otlp",
      "dockerfile",
      "door",
      "door-line",
      "page-server",
      "parsers",
      "ssh",
      "xterm"
    ])
    assert.deepStrictEqual(parts.filter((name) => read(name).includes("fast-check/cloneMethod")), [])
  })

  it("the program of the network's processes is not in the file that every command reads", () => {
    const holding = ["dial.cjs", main()].filter((name) => read(name).includes("X509CertificateGenerator"))
    assert.deepStrictEqual(holding, ["dial.cjs"])
  })
})
