import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { workspaces } from "../../../../src/daemon/app/doctor/host.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"
import { recordOf } from "../../workspace/record-of.ts"

/** What the doctor says of a state directory with these records. */
const linesOf = (records: Readonly<Record<string, string | undefined>>) =>
  Effect.gen(function*() {
    const stateDir = yield* temporaryDirectory
    const directory = (id: string) => path.join(stateDir, "workspaces", id)
    for (const [id, text] of Object.entries(records)) {
      fs.mkdirSync(directory(id), { recursive: true })
      if (text !== undefined) fs.writeFileSync(path.join(directory(id), "record.json"), text)
    }
    const paths = Layer.succeed(Paths, { stateDir, cacheDir: stateDir, memoryDir: stateDir })
    return { directory, lines: yield* Effect.provide(workspaces, paths) }
  })

const whole = JSON.stringify(recordOf("ws-0000000001", "stopped"))

describe("the doctor's look at workspaces", () => {
  it.live("doctor passes if every workspace record can be read or is absent", () =>
    Effect.gen(function*() {
      for (const records of [{}, { "ws-0000000001": whole }, { "ws-0000000001": whole, "ws-0000000002": undefined }]) {
        const { lines } = yield* linesOf(records)
        assert.deepStrictEqual(lines.map(({ ok }) => ok), [true])
      }
    }))

  it.live("doctor names each workspace with a damaged record, and the fix", () =>
    Effect.gen(function*() {
      const { directory, lines } = yield* linesOf({
        "ws-0000000001": whole,
        "ws-0000000002": whole.slice(0, 40),
        "ws-0000000003": "{\"format\": 2}",
        notes: "x"
      })
      assert.deepStrictEqual(lines.map(({ ok }) => ok), [false, false])
      for (const [at, id] of ["ws-0000000002", "ws-0000000003"].entries()) {
        assert.include(lines[at]?.found, id)
        assert.include(lines[at]?.fix, directory(id))
        assert.include(lines[at]?.fix, `pyro delete ${id}`)
      }
    }))
})
