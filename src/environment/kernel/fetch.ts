import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import { EnvironmentBuildFailed } from "../../contract/errors/errors.ts"
import { readJson, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { CheckedFile, checkFile, describeFile } from "../../system/files/checked-file.ts"
import { renameFile } from "../../system/files/entries.ts"
import { ensureFolder, removeTree } from "../../system/files/folders.ts"
import type { Temporary } from "../../system/files/temporary.ts"
import { debianSources } from "../debian-sources.ts"
import { privateApt } from "../image/apt.ts"

/** Debian release and package of the guest kernel, the same for every environment. */
const release = "bookworm"
const metaPackage = "linux-image-cloud-amd64"

const Kept = Schema.Struct({ name: Schema.String, file: CheckedFile })

/**
 * The kernel's package file. A file fetched earlier is used again if its content still matches the hash that apt verified, so a
 * damaged kernel is repaired without the network. Otherwise apt downloads the newest package and verifies it against Debian's keys.
 */
export const fetchKernelPackage = (options: { readonly work: Temporary; readonly keep: string }) =>
  Effect.gen(function*() {
    const recordFile = path.join(options.keep, "package.json")
    const kept = Option.getOrUndefined(yield* Effect.orElseSucceed(readJson(recordFile, Kept), () => Option.none()))
    if (kept !== undefined) {
      const deb = path.join(options.keep, kept.name)
      const whole = yield* Effect.option(checkFile(deb, kept.file, { thorough: true }))
      if (Option.isSome(whole)) return deb
    }
    const apt = yield* privateApt({ ...options.work, sources: yield* debianSources(release) })
    yield* apt.update
    const name = yield* apt.dependencyOf(metaPackage)
    if (name === undefined) return yield* absent(`the mirror of ${release} has no package ${metaPackage}`)
    const file = yield* apt.download(name)
    if (file === undefined) return yield* absent(`apt downloaded nothing for ${name}`)
    const deb = path.join(options.keep, file)
    yield* removeTree(options.keep)
    yield* ensureFolder(options.keep)
    yield* renameFile(path.join(options.work.path, file), deb)
    yield* writeJsonAtomic(recordFile, Kept, { name: file, file: yield* describeFile(deb) })
    return deb
  })

const absent = (detail: string) =>
  new EnvironmentBuildFailed({ environment: "the guest kernel", step: "fetch", detail })
