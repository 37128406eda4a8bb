import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { crc32 } from "node:zlib"

/** What Python runs of an archive that it is given as a program. */
const MAIN = "from pyro_image.__main__ import main\n\nmain()\n"

const VERSION = 20
/** The first day that an archive can name: the same sources are the same archive. */
const DAY = 0x21
const UNIX = 3 << 8
const MODE = 0o100644 << 16 >>> 0

/** The part of a header that stands before each file, and again in the directory at the archive's end. */
const described = ({ bytes, name }) => {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(VERSION, 0)
  fields.writeUInt16LE(DAY, 8)
  fields.writeUInt32LE(crc32(bytes), 10)
  fields.writeUInt32LE(bytes.length, 14)
  fields.writeUInt32LE(bytes.length, 18)
  fields.writeUInt16LE(Buffer.byteLength(name), 22)
  return fields
}

const directoryEntry = (file, offset) => {
  const before = Buffer.from("PK\x01\x02\0\0", "latin1")
  before.writeUInt16LE(UNIX | VERSION, 4)
  const after = Buffer.alloc(14)
  after.writeUInt32LE(MODE, 6)
  after.writeUInt32LE(offset, 10)
  return Buffer.concat([before, described(file), after, Buffer.from(file.name)])
}

/** A ZIP archive of files without compression, which Python reads without a further module. */
const archiveOf = (files) => {
  const pieces = []
  const directory = []
  let offset = 0
  for (const file of files) {
    directory.push(directoryEntry(file, offset))
    const piece = Buffer.concat([
      Buffer.from("PK\x03\x04", "latin1"),
      described(file),
      Buffer.from(file.name),
      file.bytes
    ])
    pieces.push(piece)
    offset += piece.length
  }
  const index = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write("PK\x05\x06", 0, "latin1")
  end.writeUInt16LE(files.length, 8)
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(index.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...pieces, index, end])
}

/** The package rootfs/image/pyro_image as one file that Python imports and runs (zipapp). Equal sources give equal bytes. */
export const imageProgram = (root) => {
  const folder = join(root, "rootfs/image/pyro_image")
  const modules = readdirSync(folder).filter((name) => name.endsWith(".py")).sort()
    .map((name) => ({ name: `pyro_image/${name}`, bytes: readFileSync(join(folder, name)) }))
  return archiveOf([{ name: "__main__.py", bytes: Buffer.from(MAIN) }, ...modules])
}
