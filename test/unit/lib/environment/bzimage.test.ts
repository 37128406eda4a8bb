import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { execFileSync } from "node:child_process"
import * as zlib from "node:zlib"
import { isKernelElf, kernelPayload, NotABzImage } from "../../../../src/lib/environment/kernel/bzimage.ts"

/** A little "kernel": the ELF header of a 64-bit x86 executable and something that compresses. */
const kernel = Buffer.alloc(100_000, "pyro")
kernel.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], 0)
kernel.writeUInt16LE(62, 18)

const length = Buffer.alloc(4)
length.writeUInt32LE(kernel.length)
const packed = (tool: string, ...args: Array<string>) =>
  Buffer.concat([execFileSync(tool, [...args, "-c"], { input: kernel }), length])

const payloads = {
  gzip: () => zlib.gzipSync(kernel),
  lz4: () => packed("lz4", "-l"),
  xz: () => packed("xz", "--check=crc32"),
  zstd: () => packed("zstd", "-q"),
  none: () => kernel
} as const

/** A bzImage as the boot protocol describes it, with garbage where the real-mode code and the unpacker would stand. */
const bzImage = (payload: Buffer, sectors = 27) => {
  const start = (sectors === 0 ? 4 : sectors) * 512 + 512 + 700
  const image = Buffer.alloc(start + payload.length + 333, 0xcc)
  image.writeUInt8(sectors, 0x1f1)
  image.write("HdrS", 0x202, "latin1")
  image.writeUInt16LE(0x020f, 0x206)
  image.writeUInt32LE(700, 0x248)
  image.writeUInt32LE(payload.length, 0x24c)
  payload.copy(image, start)
  return image
}

describe("the kernel inside a bzImage", () => {
  for (const compression of ["gzip", "lz4", "xz", "zstd", "none"] as const) {
    it(`the kernel payload is found in a bzImage packed with ${compression}`, () => {
      const found = kernelPayload(bzImage(payloads[compression]()))
      assert.strictEqual(found.compression, compression)
      if (found.unpackedBytes !== undefined) assert.strictEqual(found.unpackedBytes, kernel.length)
      const unpacked = compression === "none"
        ? found.bytes
        : compression === "gzip"
        ? zlib.gunzipSync(found.bytes)
        : execFileSync(compression, ["-dc"], { input: found.bytes })
      assert.isTrue(unpacked.equals(kernel))
      assert.isTrue(isKernelElf(unpacked))
    })
  }

  it("the kernel payload is found if the header counts 0 setup sectors, which means 4", () => {
    assert.isTrue(kernelPayload(bzImage(kernel, 0)).bytes.equals(kernel))
  })

  it("a file that is not a bzImage, cut short, or too old is refused", () => {
    const whole = bzImage(payloads.lz4())
    const old = Buffer.from(whole)
    old.writeUInt16LE(0x0207, 0x206)
    const beyond = Buffer.from(whole)
    beyond.writeUInt32LE(0xfffffff0, 0x24c)
    const unknown = bzImage(Buffer.alloc(1000, 0x55))
    for (const bad of [Buffer.alloc(0), Buffer.alloc(4096), whole.subarray(0, 0x300), old, beyond, unknown]) {
      const error = Result.getOrThrow(Result.flip(Result.try(() => kernelPayload(bad))))
      assert.instanceOf(error, NotABzImage)
    }
  })
})

describe("an unpacked kernel", () => {
  it("an unpacked kernel is distinguished from other files", () => {
    const other = Buffer.from(kernel)
    other.writeUInt16LE(183, 18) // aarch64
    for (const bad of [Buffer.alloc(0), Buffer.alloc(4096), other]) assert.isFalse(isKernelElf(bad))
  })
})
