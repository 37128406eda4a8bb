import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { FileRefused } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { handleService, rejection } from "./handle-service.ts"

const written = { path: "a", created: true, sizeBytes: 1, mode: "0644", version: "" }

/** A file with this content, of which each byte is a piece. */
const fileOf = (content: string) => {
  const asked: Array<unknown> = []
  const uploaded: Array<string> = []
  let pulled = 0
  const over: Partial<PyroService["workspace"]> = {
    file: {
      ...unfakedPyro.workspace.file,
      download: ({ workspace: _, ...payload }) => {
        asked.push(payload)
        if (payload.path === "nope") {
          return Stream.fail(
            new FileRefused({ path: payload.path, reason: "not_found", detail: "there is no such file" })
          )
        }
        const pieces = Stream.map(Stream.rechunk(Stream.fromIterable(Buffer.from(content)), 1), (byte) => {
          pulled++
          return { _tag: "Output" as const, bytes: Buffer.from([byte]) }
        })
        return Stream.concat(
          Stream.make({ _tag: "Opened" as const, ...written }),
          Stream.concat(pieces, Stream.make({ _tag: "Ended" as const, bytes: 1, changed: false }))
        )
      },
      write: ({ workspace: _, ...payload }) =>
        Effect.sync(() => {
          asked.push(payload)
          return written
        }),
      upload: (payload, input) => {
        asked.push({ path: payload.path, append: payload.append })
        return Stream.unwrap(Effect.map(Stream.runCollect(input?.stdin ?? Stream.empty), (pieces) => {
          uploaded.push(Buffer.concat(pieces).toString())
          return Stream.make({ _tag: "Ended" as const, ...written })
        }))
      }
    }
  }
  return { asked, uploaded, pulled: () => pulled, fix: handleService(undefined, over).fix }
}

describe("files of a workspace that a program holds", () => {
  it("a file is read whole, as bytes, as text or in pieces", async () => {
    const { fix } = fileOf("ü\r\n")
    const { files } = await fix()
    assert.deepStrictEqual(await files.read("notes.md"), new Uint8Array([195, 188, 13, 10]))
    assert.strictEqual(await files.readText("notes.md"), "ü\r\n")
    let lengths = 0
    for await (const bytes of files.stream("notes.md")) lengths += bytes.length
    assert.strictEqual(lengths, 4)
  })

  it("a range and a user are asked for, and a stream reads only what its reader takes", async () => {
    const { asked, fix, pulled } = fileOf("long content")
    const reader = (await fix()).files.stream("a", { offset: 5, length: 3, user: "agent" }).getReader()
    await reader.read()
    assert.isAtMost(pulled(), 2)
    await reader.cancel()
    assert.deepStrictEqual(asked, [{ path: "a", offset: 5, length: 3, user: "agent" }])
  })

  it("a missing file rejects with the reason", async () => {
    const { files } = await fileOf("").fix()
    assert.deepInclude(await rejection(files.read("nope")), { code: "file_refused", reason: "not_found" })
    assert.deepInclude(await rejection(files.stream("nope").getReader().read()), { reason: "not_found" })
  })

  it("short content is one request, and long content and an iterable are uploads", async () => {
    const { asked, fix, uploaded } = fileOf("")
    const { files } = await fix()
    const pieces = async function*() {
      yield "some "
      yield Buffer.from("pieces")
    }
    await files.write("a", "text", { mode: "600" })
    await files.write("b", new Uint8Array([1]), { user: "agent" })
    await files.write("c", pieces(), { append: true })
    await files.write("d", "ü".repeat(4_200_000))
    assert.deepStrictEqual(asked, [
      { path: "a", text: "text", mode: "600" },
      { path: "b", content: new Uint8Array([1]), user: "agent" },
      { path: "c", append: true },
      { path: "d", append: false }
    ])
    assert.deepStrictEqual(uploaded.map(({ length }) => length), [11, 4_200_000])
  })

  it("a failure of the content rejects, and the upload is ended", async () => {
    const { fix, uploaded } = fileOf("")
    const lost = async function*() {
      yield "half"
      throw new Error("the line is dead")
    }
    assert.deepInclude(await rejection((await fix()).files.write("a", lost())), {
      detail: "could not be read: the line is dead"
    })
    assert.deepStrictEqual(uploaded, [])
  })

  it("a watch tells the events, and its end ends the request", async () => {
    const asked: Array<unknown> = []
    let ends = 0
    const watching = { _tag: "Watching" as const, path: "src" }
    const changed = {
      _tag: "Changed" as const,
      changes: [{ change: "renamed" as const, path: "src/b", from: "src/a", directory: false }]
    }
    const { fix } = handleService(undefined, {
      file: {
        ...unfakedPyro.workspace.file,
        watch: ({ workspace: _, ...payload }) => {
          asked.push(payload)
          return Stream.make(watching, changed).pipe(
            Stream.concat(Stream.never),
            Stream.ensuring(Effect.sync(() => ends++))
          )
        }
      }
    })
    const { files } = await fix()
    const told: Array<unknown> = []
    for await (const event of files.watch("src", { depth: 1, user: "agent" })) {
      told.push(event)
      if (event._tag === "Changed") break
    }
    assert.deepStrictEqual(told, [watching, changed])
    assert.strictEqual(ends, 1)
    const aborted = new AbortController()
    const reader = files.watch(undefined, { signal: aborted.signal }).getReader()
    for (const event of [watching, changed]) assert.deepStrictEqual((await reader.read()).value, event)
    const waiting = rejection(reader.read())
    aborted.abort(new Error("enough"))
    assert.strictEqual((await waiting as Error).message, "enough")
    assert.strictEqual(ends, 2)
    assert.deepStrictEqual(asked, [
      { path: "src", depth: 1, user: "agent" },
      { path: "." }
    ])
  })
})
