import { Effect } from "effect"
import { NoSpace, type StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { GIT_LINK } from "../../../contract/text/git-mode.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { freeMib, mayShareBlocks } from "../../../system/files/usage.ts"
import type { GuestState } from "./guest-state.ts"
import type { HostFile, HostTree } from "./host-tree.ts"

/** Whether the guest's initial file equals the host's by its metadata, so that a push does not read it. */
export const looksEqual = ({ initial }: Pick<GuestState, "initial">, name: string, file: HostFile): boolean => {
  const before = initial.get(name)
  return file.mode !== GIT_LINK && before?.mode === file.mode && before.size === file.size &&
    before.mtimeNs === file.mtimeNs
}

const mib = 1024 * 1024

/**
 * Fails with `NoSpace` if the workspace's folder has too little room for the contents that a push will keep: a push that filled the disk
 * would stop every workspace of the host. Copies that may share the blocks of their sources are not counted.
 */
export const demandRoom = (
  { files, root }: HostTree,
  guest: Pick<GuestState, "initial">,
  folder: string
): Effect.Effect<void, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    let bytes = 0
    for (const [name, file] of files) if (!looksEqual(guest, name, file)) bytes += file.size
    const neededMib = Math.ceil(bytes / mib)
    const availableMib = yield* freeMib(folder)
    if (neededMib <= availableMib || (yield* mayShareBlocks(root, folder))) return
    return yield* new NoSpace({ where: "state directory", path: folder, neededMib, availableMib })
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder)(failure))))
