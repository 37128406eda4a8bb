import { Effect, Stream } from "effect"
import type { ChildProcess } from "node:child_process"
import { killAndWait, spawnTool, ToolFailed } from "./child.ts"
import { readableBytes } from "./readable.ts"

const failed = (code: number | null, signal: NodeJS.Signals | null, stderr: string) =>
  new ToolFailed({ tool: "tar", code: code ?? -1, signal: signal ?? undefined, stderr })

/** Waits for the end of tar. */
const succeeds = (child: ChildProcess, said: () => string) =>
  Effect.callback<void, ToolFailed>((resume) => {
    const settle = () =>
      resume(
        child.exitCode === 0 ? Effect.void : Effect.fail(failed(child.exitCode, child.signalCode, said()))
      )
    if (child.exitCode !== null || child.signalCode !== null) return settle()
    child.once("exit", settle)
    return Effect.sync(() => child.off("exit", settle))
  })

/** A tar archive of some entries of a directory, made by the host's tar while it is read. Links are not followed. */
export const tarOf = (directory: string, names: ReadonlyArray<string>): Stream.Stream<Uint8Array, ToolFailed> =>
  Stream.unwrap(Effect.gen(function*() {
    let stderr = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const args = ["--directory", directory, "--create", "--file=-", "--format=pax", "--", ...names]
        const child = spawnTool("tar", args, {})
        child.on("error", ({ message }) => (stderr += message))
        child.stderr!.setEncoding("utf8").on("data", (text: string) => (stderr = (stderr + text).slice(-1000)))
        return child
      }),
      killAndWait
    )
    return Stream.concat(
      Stream.mapError(readableBytes(child.stdout!), ({ message }) => failed(null, null, message)),
      Stream.fromEffectDrain(succeeds(child, () => stderr))
    )
  }))
