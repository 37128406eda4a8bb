import { Effect, type Scope } from "effect"
import { type ChannelFailed, VmFailed } from "../contract/errors.ts"
import { type ConnectOptions, GuestChannel } from "../guest-channel/GuestChannel.ts"
import type { Vm, VmError } from "./Vm.ts"

/**
 * Greets the agent of a guest. Without `takeover` its channel must be in a known state: just booted, or restored from a template,
 * which is frozen idle. Fails with step `hello` when no answer comes in time.
 */
export const greet = (
  vm: Vm,
  timeoutMs: number,
  options: Pick<ConnectOptions, "keep" | "takeover"> = { takeover: false }
): Effect.Effect<GuestChannel, VmError | ChannelFailed, Scope.Scope> =>
  GuestChannel.connect({ ...options, open: Effect.succeed(vm.port), helloTimeoutMs: timeoutMs * 2 })
    .pipe(
      Effect.raceFirst(vm.health.failure),
      Effect.timeoutOption(timeoutMs),
      Effect.flatMap((answer) =>
        answer._tag === "Some"
          ? Effect.succeed(answer.value)
          : Effect.flatMap(vm.health.consoleTail, (consoleTail) =>
            new VmFailed({
              step: "hello",
              detail: `the guest's agent did not answer within ${timeoutMs} ms`,
              consoleTail
            }))
      )
    )
