/** An entry of a layer. Types as in POSIX ustar: 0 file, 1 hard link, 2 symbolic link, 3 character device, 4 block device, 5 directory, 6 pipe. */
export interface TarEntry {
  readonly name: string
  readonly type?: "0" | "1" | "2" | "3" | "4" | "5" | "6"
  readonly data?: string | Uint8Array
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  readonly target?: string
  readonly device?: readonly [major: number, minor: number]
  /** Seconds since 1970. @default 2020-01-01 */
  readonly mtime?: number
  /** Records of a pax header, such as `SCHILY.xattr.user.x`. */
  readonly pax?: Readonly<Record<string, string | Uint8Array>>
}

const BLOCK = 512

const padded = (content: Uint8Array) => Buffer.concat([content, Buffer.alloc((BLOCK - content.length % BLOCK) % BLOCK)])

const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, "0") + "\0"

const header = (
  { device = [0, 0], gid = 0, mode = 0o755, mtime = 1_577_836_800, name, target = "", uid = 0 }: TarEntry,
  type: string,
  size: number
) => {
  const block = Buffer.alloc(BLOCK)
  const put = (text: string, at: number) => block.write(text, at, "latin1")
  put(name.slice(0, 100), 0)
  put(octal(mode, 8), 100)
  put(octal(uid > 0o7777777 ? 0 : uid, 8), 108)
  put(octal(gid, 8), 116)
  put(octal(size, 12), 124)
  put(octal(mtime, 12), 136)
  put("        ", 148)
  put(type, 156)
  put(target.slice(0, 100), 157)
  put("ustar\0" + "00", 257)
  put(octal(device[0], 8), 329)
  put(octal(device[1], 8), 337)
  put(octal(block.reduce((sum, byte) => sum + byte, 0), 7) + " ", 148)
  return block
}

/** One record, whose length counts its own digits. */
const record = (key: string, value: string | Uint8Array) => {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value as string), Buffer.from("\n")])
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}

/** A tar archive of the entries, with pax headers where ustar has no room. umoci's archives have no `end`. */
export const tarOf = (entries: ReadonlyArray<TarEntry>, end = Buffer.alloc(2 * BLOCK)): Buffer =>
  Buffer.concat([
    ...entries.flatMap((entry) => {
      const data = Buffer.from(entry.data as string ?? "")
      const pax: Record<string, string | Uint8Array> = {
        ...entry.pax,
        ...(Buffer.byteLength(entry.name) > 100 ? { path: entry.name } : {}),
        ...((entry.uid ?? 0) > 0o7777777 ? { uid: String(entry.uid) } : {})
      }
      const records = Buffer.concat(Object.entries(pax).map(([key, value]) => record(key, value)))
      return [
        ...(records.length === 0 ? [] : [header({ name: "pax" }, "x", records.length), padded(records)]),
        header(entry, entry.type ?? "0", data.length),
        padded(data)
      ]
    }),
    end
  ])
