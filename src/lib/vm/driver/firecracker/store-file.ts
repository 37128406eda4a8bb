import { Effect } from "effect"
import * as fs from "node:fs"
import { ImageDamaged } from "../../../../contract/errors/errors.ts"
import { attempt, type FileFailed, isMissing } from "../../../../system/files/failure.ts"
import { storeBytes } from "../../../disk/layer-format.ts"
import { fileFailedAt } from "../../model/failure.ts"

/** Why a file is no store that pyro gave a VM: Firecracker under a guest's control may have put another one in its place. */
const damageOf = (stat: fs.Stats, virtualBytes: number): string | undefined => {
  if (!stat.isFile()) return "it is no regular file"
  return stat.size > storeBytes(virtualBytes) ? `its size of ${stat.size} bytes is not what pyro gave it` : undefined
}

const damagedOr = (file: string) => (check: Effect.Effect<string | undefined, FileFailed>) =>
  check.pipe(
    Effect.mapError((failure) =>
      isMissing(failure) ? new ImageDamaged({ path: file, detail: "it is gone" }) : fileFailedAt("disk", file)(failure)
    ),
    Effect.flatMap((detail) => detail === undefined ? Effect.void : new ImageDamaged({ path: file, detail }))
  )

/** Fails unless the file is a store that pyro gave a VM. */
export const checkStore = (file: string, virtualBytes: number) =>
  attempt("lstat", file, () => damageOf(fs.lstatSync(file), virtualBytes)).pipe(damagedOr(file))

/** Makes a file the store of one VM: a regular file of one guest, as large as the store may become. */
export const ownStore = (file: string, uid: number, virtualBytes: number) =>
  attempt("open", file, () => {
    const seen = damageOf(fs.lstatSync(file), virtualBytes)
    if (seen !== undefined) return seen
    const fd = fs.openSync(file, fs.constants.O_RDWR | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK)
    try {
      const stat = fs.fstatSync(fd)
      const wanted = storeBytes(virtualBytes)
      const damage = damageOf(stat, virtualBytes)
      if (damage !== undefined) return damage
      if (stat.size < wanted) fs.ftruncateSync(fd, wanted)
      fs.fchmodSync(fd, 0o600)
      if (stat.uid !== uid) fs.fchownSync(fd, uid, uid)
      return undefined
    } finally {
      fs.closeSync(fd)
    }
  }).pipe(damagedOr(file))
