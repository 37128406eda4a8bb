import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

type Write = (fd: number, parts: Uint8Array | ReadonlyArray<Uint8Array>, ...rest: ReadonlyArray<unknown>) => number

const noSpace = () => Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" })

/** Makes this process's writes to files fail as on a full disk, after the first `bytes` of each. Returns what ends it. */
export const fillDisk = (bytes: number) => {
  const { writeSync, writevSync } = fs
  const full: Write = (fd, parts, ...rest) => {
    const all = parts instanceof Uint8Array ? parts : Buffer.concat([...parts])
    const position = rest.at(-1) as number
    if (bytes > 0) writeSync(fd, all, 0, Math.min(bytes, all.length), position)
    throw noSpace()
  }
  Object.assign(fs, { writeSync: full, writevSync: full })
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { writeSync, writevSync })
    syncBuiltinESMExports()
  }
}

/** Makes this process's new folders fail as on a full disk. Returns what ends it. */
export const refuseFolders = () => {
  const { mkdirSync } = fs
  Object.assign(fs, {
    mkdirSync: () => {
      throw noSpace()
    }
  })
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { mkdirSync })
    syncBuiltinESMExports()
  }
}
