import { Effect } from "effect"
import { type ChannelFailed, type GuestPanicked, VmFailed } from "../../../contract/errors/errors.ts"
import { deadlineScale } from "../../../system/settings/deadline-scale.ts"
import { asStep } from "../../../system/telemetry/spans.ts"
import { keepClock } from "../../../vm/clock.ts"
import { newGuestIdentity } from "../../../vm/guest-steps.ts"
import type { Guest } from "../../../vm/guest.ts"
import { explainChannelFailure } from "../boot.ts"
import { readHosts } from "../guest-name.ts"

const renewTimeoutMs = 30_000 * deadlineScale

/**
 * Makes a guest from captured memory unique before its programs run: fresh randomness, time, name, ids. After a failure no program
 * has run in it, and it must not be used.
 */
export const renew = (guest: Guest, hostname: string): Effect.Effect<void, VmFailed | GuestPanicked | ChannelFailed> =>
  Effect.gen(function*() {
    const { channel, vm } = guest
    const hosts = yield* readHosts(channel)
    yield* channel.chain(vm.steps.renewal(newGuestIdentity(hostname), hosts))
    yield* keepClock(channel)
    yield* channel.chain(vm.steps.startPrograms)
  }).pipe(
    Effect.timeoutOrElse({
      duration: renewTimeoutMs,
      orElse: () => Effect.fail(failed(`its agent did not do it within ${renewTimeoutMs} ms`))
    }),
    Effect.catchTag("AgentCallFailed", ({ message }) => failed(message)),
    Effect.raceFirst(guest.vm.health.failure),
    explainChannelFailure(guest),
    asStep("renew")
  )

const failed = (detail: string) =>
  new VmFailed({
    step: "renew",
    detail: `${detail}; the VM was thrown away before anything ran in it`,
    consoleTail: ""
  })
