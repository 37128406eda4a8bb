import { Effect } from "effect"
import { EnvironmentBuildFailed, type HostToolMissing, NoSpace } from "../../../contract/errors/errors.ts"
import { type FileFailed, isDiskFull } from "../../../system/files/failure.ts"
import type { LockTimeout } from "../../../system/files/lock.ts"
import { freeMib } from "../../../system/files/usage.ts"
import { namespaceAdvice, type ToolFailed } from "../../../system/processes/child.ts"

/** Errors below a build, before their translation into the contract's errors. */
export type BuildTrouble = ToolFailed | FileFailed | LockTimeout

export interface BuildContext {
  readonly environment: string
  readonly step: string
  /** Folder that the build writes to. */
  readonly folder: string
  readonly neededMib: number
  /** Output of the tools so far. */
  readonly log?: () => string
}

/** Translates a tool's failure: NoSpace for a full disk, else EnvironmentBuildFailed with the tool's output. */
export const mapBuildFailure = (context: BuildContext) => <A, E, R>(effect: Effect.Effect<A, E | BuildTrouble, R>) =>
  Effect.catch(effect, (error): Effect.Effect<
    never,
    Exclude<E, BuildTrouble> | EnvironmentBuildFailed | NoSpace | HostToolMissing
  > => {
    const tag = (error as { readonly _tag?: string })._tag
    if (tag !== "ToolFailed" && tag !== "FileFailed" && tag !== "LockTimeout") {
      return Effect.fail(error as Exclude<E, BuildTrouble>)
    }
    const said = tag === "ToolFailed"
      ? (context.log?.() ?? "") + (error as ToolFailed).stderr
      : (error as FileFailed | LockTimeout).message
    if (isDiskFull(error) || /no space left on device|disk quota exceeded/i.test(said)) {
      return Effect.flatMap(
        Effect.orElseSucceed(freeMib(context.folder), () => 0),
        (availableMib) =>
          new NoSpace({ where: "cache", path: context.folder, neededMib: context.neededMib, availableMib })
      )
    }
    const { environment, step } = context
    return new EnvironmentBuildFailed({ environment, step, detail: namespaceAdvice(said) ?? shortReason(said, error) })
  })

/** Lines that report a failure without its reason. */
const hollow = /^E: (Some index files|.* failed$|.* failed to run$|.* failed: |child had|run_chroot)/

/** The lines with a tool's reason: `E:` lines of apt and mmdebstrap, else the last lines. */
const shortReason = (said: string, error: unknown): string => {
  const lines = [...new Set(said.split("\n").map((line) => line.trim()).filter((line) => line !== ""))]
  const errors = lines.filter((line) => /^(E:|dpkg: error)/.test(line))
  const telling = errors.filter((line) => !hollow.test(line))
  const chosen = telling.length > 0 ? telling.slice(0, 2) : errors.length > 0 ? errors.slice(0, 1) : lines.slice(-2)
  const reason = chosen.map((line) => line.replace(/^E: /, "").replace(/ +/g, " ")).join("; ")
  return reason === "" ? String((error as Error).message) : reason.slice(0, 600)
}
