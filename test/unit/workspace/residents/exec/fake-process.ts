import { Deferred, Effect, Stream } from "effect"
import type { GuestProcess, ProcessExit } from "../../../../../src/lib/guest-channel/model/process.ts"

export const PROCESS_ID = "0".repeat(31) + "1"

/** A process that notes what is done to it; `stubborn` ignores each signal, and ends when it is killed. */
export const makeProcess = (isStubborn: boolean) =>
  Effect.gen(function*() {
    const ended = yield* Deferred.make<ProcessExit>()
    const done: Array<string> = []
    const end = (code: number) =>
      Deferred.succeed<ProcessExit, never>(ended, { _tag: "signaled", code, durationMs: 60_000 })
    const process = {
      id: PROCESS_ID,
      pid: 1,
      output: Stream.empty,
      forEachOutput: () => Effect.asVoid(Deferred.await(ended)),
      keepFrom: () => {},
      stdinOffset: 0,
      stdinSent: () => 0,
      writeStdin: () => Effect.void,
      tryWriteStdin: () => true,
      endStdin: Effect.void,
      resize: () => Effect.void,
      signal: (signal) =>
        Effect.suspend(() => {
          done.push(String(signal))
          return isStubborn ? Effect.void : Effect.asVoid(end(15))
        }),
      kill: Effect.suspend(() => {
        done.push("kill")
        return Effect.asVoid(end(9))
      }),
      exit: Deferred.await(ended),
      release: Effect.void
    } as GuestProcess
    return { process, done }
  })
