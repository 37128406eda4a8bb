import { Effect, Stream } from "effect"
import type { GuestProcess, SpawnRequest } from "../../guest-channel/process.ts"
import { guestEnvironment } from "../../workspace/residents/command.ts"

/** A script for the guest's shell. */
export const script = (text: string): SpawnRequest => ({
  argv: ["/bin/sh", "-c", text],
  env: guestEnvironment({ env: {}, tty: false }),
  cwd: "/workspace"
})

/** Everything a process prints to stdout, once it has ended. */
export const stdoutOf = (process: GuestProcess) =>
  process.output.pipe(
    Stream.filter(({ from }) => from === "stdout"),
    Stream.map(({ bytes }) => bytes),
    Stream.runCollect,
    Effect.map((chunks) => Buffer.concat(chunks).toString("utf8")),
    Effect.tap(() => process.exit)
  )
