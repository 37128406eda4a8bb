import { Effect } from "effect"
import { listIfPresent, removeFile } from "../../../system/files/entries.ts"
import { type FileFailed } from "../../../system/files/failure.ts"
import { bytesOnDisk } from "../../../system/files/usage.ts"

/** `main-0123456789abcdef.cjs-v24.1.0-x64-run.bin` -> `main-0123456789abcdef.cjs`, as scripts/build/entry.cjs names compiled code. */
const bundleOf = (name: string) => /^(main-[0-9a-f]+\.cjs)-/.exec(name)?.[1]

/**
 * Removes the compiled code of other builds of pyro, and gives its bytes. `programs`: the folder of this build's bundles. A build whose
 * code is removed compiles it again. Nothing is removed if the folder has no bundle, as beneath a clone that is not built.
 */
export const sweepCompiledCode = (folder: string, programs: string): Effect.Effect<number, FileFailed> =>
  Effect.gen(function*() {
    const own = new Set((yield* listIfPresent(programs)).filter((name) => bundleOf(`${name}-`) === name))
    if (own.size === 0) return 0
    let freed = 0
    for (const name of yield* listIfPresent(folder)) {
      const bundle = bundleOf(name)
      if (bundle === undefined || own.has(bundle)) continue
      const path = `${folder}/${name}`
      const bytes = bytesOnDisk(path)
      yield* removeFile(path)
      freed += bytes
    }
    return freed
  })
