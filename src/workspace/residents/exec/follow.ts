import { Effect, Option } from "effect"
import type { ChannelFailed } from "../../../contract/errors/errors.ts"
import type { GuestProcess } from "../../../guest-channel/process.ts"
import type { CommandLog } from "../../../output-log/log.ts"
import type { SecretSource } from "../../../redaction/filter.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { endOf } from "../command.ts"
import { type EndingOptions, endProcess, ranOut } from "../ending.ts"
import type { CommandEnd } from "./journal.ts"
import { recordOutput } from "./record-output.ts"

/** Maximum wait for the end of a killed command. Its end is reported in any case. */
const killGraceMs = 3_000

/** Reads a process to its end, and ends it with all its processes at its timeout. */
export const follow = (
  process: GuestProcess,
  log: CommandLog,
  time: { readonly startedAtMs: number; readonly deadlineMs: number | undefined; readonly ending: EndingOptions },
  secrets: SecretSource = { set: undefined }
): Effect.Effect<CommandEnd, ChannelFailed> =>
  Effect.gen(function*() {
    const whole = Effect.asSome(Effect.andThen(recordOutput(process, log, secrets), process.exit))
    let isOver = false
    const atDeadline = (deadlineMs: number) =>
      Effect.gen(function*() {
        yield* Effect.sleep(Math.max(0, deadlineMs - (yield* nowMs)))
        isOver = true
        yield* endProcess(process, "timeout", time.ending)
        yield* Effect.sleep(killGraceMs)
        return Option.none()
      })
    const exit = yield* time.deadlineMs === undefined ? whole : Effect.raceFirst(whole, atDeadline(time.deadlineMs))
    // Background processes that its handler left end with it.
    if (isOver) yield* Effect.ignore(process.kill)
    const late = isOver && ranOut(Option.getOrUndefined(exit), time.ending)
    return {
      id: log.id,
      ...endOf(Option.getOrUndefined(exit), late),
      durationMs: Option.isSome(exit) ? exit.value.durationMs : (yield* nowMs) - time.startedAtMs,
      ...printed(log)
    }
  })

/** Output of a command, as its journal has it. */
export const printed = ({ droppedBytes, received }: CommandLog) => ({
  stdoutBytes: received.stdout,
  stderrBytes: received.stderr,
  ...(droppedBytes === 0 ? {} : { droppedBytes })
})
