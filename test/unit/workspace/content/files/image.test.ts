import { assert, describe, it } from "vitest"
import { MAX_IMAGE_BYTES } from "../../../../../src/contract/rows/file-fields.ts"
import { ImageRead, imageSizeOf, imageTypeOf } from "../../../../../src/workspace/content/files/image.ts"
import { images } from "../../../../support/files/images.ts"

const read = (bytes: Buffer, piece = bytes.length, size = bytes.length) => {
  const image = new ImageRead(size)
  for (let at = 0; at < bytes.length; at += piece) {
    if (image.push(bytes.subarray(at, at + piece)) === false) break
  }
  return image.found()
}

describe("an image", () => {
  it.each(Object.entries(images))(
    "a file of type %s is recognised by its first bytes, with its width and height",
    (mediaType, bytes) => {
      const found = read(bytes)
      assert.deepStrictEqual(
        { ...found, content: undefined },
        { mediaType, width: 3, height: 2, content: undefined } as never
      )
      assert.isTrue(found?.content !== undefined && Buffer.from(found.content).equals(bytes))
      assert.deepStrictEqual(read(bytes, 16), found)
    }
  )

  it("an image's size is found after other segments of a JPEG, and in all three forms of WebP", () => {
    const jpeg = images["image/jpeg"]
    const segment = Buffer.alloc(2 + 60_000)
    segment.writeUInt16BE(0xffe1, 0)
    segment.writeUInt16BE(60_000, 2)
    assert.deepInclude(read(Buffer.concat([jpeg.subarray(0, 2), segment, jpeg.subarray(2)])), { width: 3, height: 2 })
    const webp = (kind: string, header: ReadonlyArray<number>) =>
      Buffer.concat([Buffer.from(`RIFF\0\0\0\0WEBP${kind}\0\0\0\0`, "latin1"), Buffer.from(header), Buffer.alloc(20)])
    assert.deepInclude(read(webp("VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, 3, 0, 2, 0])), { width: 3, height: 2 })
    assert.deepInclude(read(webp("VP8X", [0, 0, 0, 0, 2, 0, 0, 1, 0, 0])), { width: 3, height: 2 })
  })

  it("text, other binary files and files that are too short are not images", () => {
    for (
      const bytes of [Buffer.from("GIF of a cat, as text"), Buffer.alloc(100), Buffer.from("\x89PNG"), Buffer.alloc(0)]
    ) {
      assert.isUndefined(read(bytes))
    }
  })

  it("an image is held up to its limit only, whatever size the guest reports", () => {
    const large = Buffer.concat([images["image/png"], Buffer.alloc(MAX_IMAGE_BYTES)])
    for (const told of [large.length, 10]) {
      const found = read(large, 32_768, told)
      assert.deepInclude(found, { mediaType: "image/png", width: 3 })
      assert.notProperty(found, "content")
    }
  })

  it("hostile image bytes cause no failure and no long computation", () => {
    let seed = 7
    const random = () => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff)
    for (const bytes of Object.values(images)) {
      for (let round = 0; round < 500; round++) {
        const odd = Buffer.from(bytes.subarray(0, 12 + random() % bytes.length))
        for (let at = 12; at < odd.length; at++) if (random() % 3 === 0) odd[at] = random() & 0xff
        const type = imageTypeOf(odd)
        if (type !== undefined) imageSizeOf(type, odd)
      }
    }
    const fill = Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(MAX_IMAGE_BYTES - 2, 0xff)])
    assert.isUndefined(imageSizeOf("image/jpeg", fill))
  })
})
