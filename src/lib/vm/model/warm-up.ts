import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { SpawnRequest } from "../../guest-channel/model/process.ts"
import type { Steps } from "./guest-steps.ts"

/** A program that runs in a guest before the guest is a workspace's. */
export const warmUpCommand = (...argv: readonly [string, ...ReadonlyArray<string>]): SpawnRequest => ({
  argv,
  env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "SHELL=/bin/bash",
    "TERM=dumb"
  ],
  cwd: "/workspace",
  // Every command of a workspace has this limit, and a guest needs a while for its first one.
  pidsMax: 1024
})

const toItsEnd = (process: Effect.Success<ReturnType<GuestChannel["spawn"]>>) =>
  Effect.andThen(Stream.runDrain(process.output), process.exit)

/** Runs programs one after the other, the first one after `steps`, and ignores their output. */
export const runEach = (channel: GuestChannel, steps: Steps, commands: ReadonlyArray<SpawnRequest>) =>
  Effect.forEach(
    commands,
    (command, at) =>
      Effect.scoped(
        Effect.flatMap(at === 0 ? channel.spawnAfter(steps, command) : channel.spawn(command), toItsEnd)
      ),
    { discard: true }
  )
