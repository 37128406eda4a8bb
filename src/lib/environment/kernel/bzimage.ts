import { Data } from "effect"

/** A file is not a bzImage, or pyro cannot unpack its payload. */
export class NotABzImage extends Data.TaggedError("NotABzImage")<{ readonly detail: string }> {
  override get message() {
    return this.detail
  }
}

export type Compression = "gzip" | "lz4" | "xz" | "zstd" | "none"

/** The compressed kernel inside a bzImage, and its unpacked size. */
interface KernelPayload {
  readonly compression: Compression
  readonly bytes: Buffer
  readonly unpackedBytes: number | undefined
}

const magics: ReadonlyArray<readonly [Compression, ReadonlyArray<number>]> = [
  ["lz4", [0x02, 0x21, 0x4c, 0x18]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["none", [0x7f, 0x45, 0x4c, 0x46]]
]

/**
 * Finds the payload by the setup header (Documentation/arch/x86/boot.rst): `setup_sects` at 0x1f1, `HdrS` at 0x202,
 * `payload_offset` at 0x248 and `payload_length` at 0x24c, counted from the end of the real-mode code.
 */
export const kernelPayload = (image: Buffer): KernelPayload => {
  if (image.length < 0x250 || image.toString("latin1", 0x202, 0x206) !== "HdrS") {
    throw new NotABzImage({ detail: "it has no bzImage header" })
  }
  if (image.readUInt16LE(0x206) < 0x0208) throw new NotABzImage({ detail: "its boot protocol is older than 2.08" })
  const sectors = image.readUInt8(0x1f1) || 4 // 0 means 4, says the protocol
  const start = (sectors + 1) * 512 + image.readUInt32LE(0x248)
  const end = start + image.readUInt32LE(0x24c)
  if (end > image.length || end - start < 8) throw new NotABzImage({ detail: "its payload is outside the file" })
  const payload = image.subarray(start, end)
  const compression = magics.find(([, magic]) => magic.every((byte, at) => payload[at] === byte))?.[0]
  if (compression === undefined) {
    throw new NotABzImage({
      detail: `its payload starts with ${payload.toString("hex", 0, 6)}, an unknown compression`
    })
  }
  switch (compression) {
    case "none":
      return { compression, bytes: payload, unpackedBytes: undefined }
    case "gzip": // its own trailer holds the length
      return { compression, bytes: payload, unpackedBytes: payload.readUInt32LE(payload.length - 4) }
    default: // the kernel's build appends the size to other compressors' output
      return {
        compression,
        bytes: payload.subarray(0, -4),
        unpackedBytes: payload.readUInt32LE(payload.length - 4)
      }
  }
}

/** Whether this is a 64-bit x86 ELF executable, which QEMU boots by its PVH entry. */
export const isKernelElf = (file: Buffer) =>
  file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file.readUInt16LE(18) === 62
