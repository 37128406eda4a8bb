import { Effect, Stream } from "effect"
import { createHash } from "node:crypto"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import type { GuestProcess, SpawnRequest } from "../../src/lib/guest-channel/model/process.ts"
import { Agent } from "./agent.ts"

/** Everything a process printed, and how it ended. */
export const collect = (process: GuestProcess) =>
  Effect.gen(function*() {
    const texts = { stdout: "", stderr: "" }
    yield* Stream.runForEach(process.output, ({ bytes, from }) =>
      Effect.sync(() => {
        texts[from] += Buffer.from(bytes).toString("latin1")
      }))
    return { ...texts, exit: yield* process.exit }
  })

/** Bytes and hash of what a process printed to stdout. */
export const hashOutput = (process: GuestProcess) =>
  Effect.gen(function*() {
    const hash = createHash("sha256")
    let bytes = 0
    yield* process.forEachOutput((piece) =>
      Effect.sync(() => {
        if (piece.from !== "stdout") return
        hash.update(piece.bytes)
        bytes += piece.bytes.length
      })
    )
    return { bytes, hash: hash.digest("hex") }
  })

export const start = (channel: GuestChannel, argv: SpawnRequest["argv"], more: Partial<SpawnRequest> = {}) =>
  Effect.flatMap(Agent.environment, (env) => channel.spawn({ argv, env, ...more }))

/** Starts one that no scope ends. */
export const launch = (channel: GuestChannel, argv: SpawnRequest["argv"], more: Partial<SpawnRequest> = {}) =>
  Effect.flatMap(Agent.environment, (env) => Effect.flatten(channel.launch({ argv, env, ...more })))

/** Runs a command to its end. */
export const run = (channel: GuestChannel, argv: SpawnRequest["argv"], more: Partial<SpawnRequest> = {}) =>
  Effect.scoped(Effect.flatMap(start(channel, argv, more), collect))

/** Runs a script to its end. */
export const sh = (channel: GuestChannel, script: string, more: Partial<SpawnRequest> = {}) =>
  run(channel, ["sh", "-c", script], more)
