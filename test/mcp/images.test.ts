import { Effect } from "effect"
import { assert, describe, it } from "vitest"
import type { FileContent } from "../../src/contract/rows/workspace-file.ts"
import { images } from "../support/files/images.ts"
import { call, fakePyro, textOf } from "./fakes.ts"

const file = {
  path: "a.txt",
  binary: true,
  lossy: false,
  truncated: false,
  sizeBytes: 5_242_880,
  mode: "0644",
  version: "7"
}

/** What a model gets of a binary file. */
const read = (more: Partial<FileContent>) => {
  const pyro = fakePyro({ file: { ...fakePyro({}).workspace.file, read: () => Effect.succeed({ ...file, ...more }) } })
  return call(pyro, "workspace_file_read", { workspace_id: "a", path: "a.txt" })
}

describe("workspace_file_read", () => {
  it.each(Object.entries(images))(
    "workspace_file_read returns an image of %s without a structured half",
    async (type, bytes) => {
      const image = { mediaType: type as keyof typeof images, width: 3, height: 2, content: bytes }
      const result = await read({ image, sizeBytes: bytes.length })
      assert.notProperty(result, "structuredContent")
      assert.match(textOf(result), /^a\.txt is a \w+ image, 3 x 2 pixels, \d+ B, version 7$/)
      assert.deepStrictEqual(result.content.slice(1), [{
        type: "image",
        mimeType: type,
        data: bytes.toString("base64")
      }])
    }
  )

  it.each(
    [
      [
        { mediaType: "image/png", width: 20, height: 9_000, content: images["image/png"] },
        "20 x 9000 pixels, 5.0 MiB: too large"
      ],
      [
        { mediaType: "image/png", width: 20, height: 9 },
        "20 x 9 pixels, 5.0 MiB: too large to show (at most 3.8 MiB, and 8000"
      ],
      [{ mediaType: "image/gif", content: images["image/gif"] }, "GIF image, 5.0 MiB; damaged"],
      [undefined, "a.txt is binary, 5.0 MiB; inspect it with workspace_exec"]
    ] as const
  )("workspace_file_read describes a file that it does not show, as text only: %#", async (image, told) => {
    const result = await read(image === undefined ? {} : { image })
    assert.notProperty(result, "structuredContent")
    assert.lengthOf(result.content, 1)
    assert.include(textOf(result), told)
  })
})
