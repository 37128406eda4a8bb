import { Effect, Stream } from "effect"
import { assert, describe, it } from "vitest"
import { FileRefused } from "../../../src/contract/errors/errors.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { unfakedPyro } from "../../support/unfaked-pyro.ts"
import { handleService, rejection } from "./handle-service.ts"

const whole = { binary: false, lossy: false, truncated: false, sizeBytes: 0, mode: "0644", version: "" }

/** Files with this content. An export of each gives `exported`. */
const filesOf = (content: object, exported: string) => {
  const asked: Array<unknown> = []
  const over: Partial<PyroService["workspace"]> = {
    file: {
      ...unfakedPyro.workspace.file,
      read: ({ path }) =>
        path === "nope"
          ? Effect.fail(new FileRefused({ path, reason: "not_found", detail: "there is no such file" }))
          : Effect.succeed({ path, ...whole, ...content }),
      write: ({ workspace: _, ...payload }) =>
        Effect.sync(() => {
          asked.push(payload)
          return { path: payload.path, created: true, sizeBytes: 1, mode: "0644", version: "" }
        })
    },
    export: (payload) =>
      Stream.suspend(() => {
        asked.push(payload.output)
        return Stream.make(...[...exported].map((byte) => ({ _tag: "Output" as const, bytes: Buffer.from(byte) })))
      })
  }
  return { asked, fix: handleService(undefined, over).fix }
}

describe("files of a workspace that a program holds", () => {
  it("a text is read with one request, and keeps every byte", async () => {
    const { asked, fix } = filesOf({ text: "ü\r\n" }, "")
    const { files } = await fix()
    assert.deepStrictEqual([...await files.read("notes.md")], [195, 188, 13, 10])
    assert.strictEqual(await files.readText("notes.md"), "ü\r\n")
    assert.deepStrictEqual(asked, [])
  })

  for (
    const [what, content] of Object.entries({
      "a binary file": { binary: true },
      "a text with bytes that are not UTF-8": { text: "\uFFFD", lossy: true },
      "a text that is longer than one answer": { text: "be", truncated: true }
    })
  ) {
    it(`${what} is read whole, as it is`, async () => {
      const { asked, fix } = filesOf(content, "whole")
      const { files } = await fix()
      assert.strictEqual(Buffer.from(await files.read("data")).toString(), "whole")
      assert.deepStrictEqual(asked, ["-"])
      let pieces = 0
      for await (const bytes of files.stream("data")) pieces += bytes.length
      assert.strictEqual(pieces, 5)
    })
  }

  it("a missing file rejects with the reason", async () => {
    const { files } = await filesOf({}, "").fix()
    assert.deepInclude(await rejection(files.read("nope")), { code: "file_refused", reason: "not_found" })
    assert.deepInclude(await rejection(files.stream("nope").getReader().read()), { reason: "not_found" })
  })

  it("text and bytes are written as they are", async () => {
    const { asked, fix } = filesOf({}, "")
    const { files } = await fix()
    await files.write("a", "text", { mode: "600" })
    await files.write("b", new Uint8Array([1]), { user: "agent" })
    assert.deepStrictEqual(asked, [
      { path: "a", text: "text", mode: "600" },
      { path: "b", content: new Uint8Array([1]), user: "agent" }
    ])
  })
})
