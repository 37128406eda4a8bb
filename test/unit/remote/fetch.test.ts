import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import type { SpoolTakeEvent } from "../../../src/contract/rows/spool.ts"
import { checkOutput, fetchFile } from "../../../src/remote/files/fetch.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

const MIB = 1024 * 1024
const content = Buffer.concat([Buffer.from("begin"), Buffer.alloc(3 * MIB), Buffer.from("end")])
const sha256 = createHash("sha256").update(content).digest("hex")
const opened = { _tag: "Opened", sizeBytes: content.length, dataBytes: 65_536 + (content.length % 65_536) } as const
const ended = { _tag: "Ended", sizeBytes: content.length, sha256 } as const
const output = (bytes: Uint8Array) => ({ _tag: "Output", bytes }) as const

/** Fetches what a machine sends, and gives the file or the tag of the error. */
const fetched = (events: ReadonlyArray<SpoolTakeEvent>) =>
  Effect.gen(function*() {
    const { folder, remove } = temporaryFolder("pyro-fetch-")
    yield* Effect.addFinalizer(() => Effect.sync(remove))
    const asked = { output: path.join(folder, "file"), overwrite: false }
    const pyro = { spool: { take: () => Stream.fromIterable(events) } } as unknown as PyroService
    const place = yield* checkOutput(asked)
    const tag = yield* fetchFile(pyro, "0".repeat(32), asked, place).pipe(
      Effect.as("written"),
      Effect.catch((error) => Effect.succeed(error._tag))
    )
    const names = fs.readdirSync(folder)
    return { tag, names, is: names.length === 1 && fs.readFileSync(asked.output).equals(content) }
  })

describe("a file of another machine", () => {
  it.live("is written whole, with its holes", () =>
    Effect.gen(function*() {
      const packed = gzipSync(content)
      const pieces = [packed.subarray(0, 100), packed.subarray(100)].map(output)
      assert.deepStrictEqual(yield* fetched([opened, ...pieces, ended]), { tag: "written", names: ["file"], is: true })
    }))

  const lies: Readonly<Record<string, ReadonlyArray<SpoolTakeEvent>>> = {
    "has no size": [output(gzipSync(content)), ended],
    "does not come": [],
    "has no end": [opened, output(gzipSync(content))],
    "is cut off": [opened, output(gzipSync(content).subarray(0, 200)), ended],
    "is no gzip": [opened, output(content.subarray(0, 64)), ended],
    "has another digest": [opened, output(gzipSync(content)), { ...ended, sha256: "0".repeat(64) }],
    "is shorter": [{ ...opened, sizeBytes: content.length + 1 }, output(gzipSync(content)), ended],
    "has more bytes": [opened, output(gzipSync(Buffer.concat([content, Buffer.from("x")]))), ended],
    "has more data than it said": [{ ...opened, dataBytes: 1 }, output(gzipSync(content)), ended],
    "is a bomb": [opened, output(gzipSync(Buffer.alloc(512 * MIB))), ended],
    "begins twice": [opened, opened, output(gzipSync(content)), ended]
  }
  for (const [name, events] of Object.entries(lies)) {
    it.live(`that ${name} is not written`, () =>
      Effect.gen(function*() {
        const { names, tag } = yield* fetched(events)
        assert.notStrictEqual(tag, "written")
        assert.deepStrictEqual(names, [])
      }))
  }
})
