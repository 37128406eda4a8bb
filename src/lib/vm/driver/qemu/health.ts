import { Deferred, Effect, Queue, Schedule, type Scope, SubscriptionRef } from "effect"
import { GuestPanicked, VmFailed } from "../../../../contract/errors/errors.ts"
import { table } from "../../../../contract/text/names.ts"
import { attempt } from "../../../../system/files/failure.ts"
import { freeBytes } from "../../../../system/processes/host.ts"
import { vmFailed } from "../../model/failure.ts"
import type { VmHealth, VmTrouble } from "../../model/Vm.ts"
import { consoleText, panicIn } from "../console-text.ts"
import type { VmmProcess } from "../vmm-process.ts"
import type { Qmp, QmpEvent } from "./qmp.ts"

/** Minimum free bytes before a VM that a full disk has paused resumes. */
const roomToResumeBytes = 32 * 1024 * 1024

const consoleBytes = 65_536

/** Maximum time between the end of QEMU's monitor and the report of QEMU's own end. */
const endReported = "2 seconds"

/** The health of a VM, for its driver: `giveUp` reports a VM that the driver cannot bring to run. */
interface WatchedHealth extends VmHealth {
  readonly giveUp: (failure: VmFailed) => Effect.Effect<void>
}

/** The newest thousand events of one monitor: a guest that causes more loses its own oldest. */
export const makeEventQueue = Queue.sliding<QmpEvent>(1024)

/** The end of a guest that stopped for this reason of QEMU. */
const endOf = (reason: string, tail: string): VmFailed | GuestPanicked => {
  const panic = panicIn(tail)
  return panic === undefined && reason !== "guest-panic"
    ? new VmFailed({
      step: "run",
      detail: reason === "guest-shutdown" ? "the guest powered itself off" : `the guest stopped (${reason})`,
      consoleTail: tail
    })
    : new GuestPanicked({ detail: panic ?? "no reason on its console", consoleTail: tail })
}

/** A full disk has paused the VM: resumes it when there is room. */
const pauseUntilRoom = (
  { directory, qmp }: { readonly directory: string; readonly qmp: Qmp },
  trouble: SubscriptionRef.SubscriptionRef<VmTrouble>
) => {
  const resumeWhenRoom = attempt("statfs", directory, () => freeBytes(directory)).pipe(
    Effect.orElseSucceed(() => 0),
    Effect.repeat({ until: (free) => free >= roomToResumeBytes, schedule: Schedule.spaced("250 millis") }),
    Effect.andThen(SubscriptionRef.set(trouble, "none")),
    Effect.andThen(qmp.execute("cont")),
    Effect.ignoreCause
  )
  return Effect.flatMap(
    SubscriptionRef.getAndSet(trouble, "no-space"),
    (before) => before === "no-space" ? Effect.void : Effect.asVoid(Effect.forkScoped(resumeWhenRoom))
  )
}

/**
 * Turns QEMU's events into typed trouble. A guest that panics, resets or powers off, or the end of QEMU, fails the VM with the end of the
 * console. A full disk pauses the VM until there is room.
 */
export const watchHealth = (options: {
  readonly qemu: VmmProcess
  readonly qmp: Qmp
  readonly events: Queue.Dequeue<QmpEvent>
  /** Folder in the file system of the workspace disk. */
  readonly directory: string
  /** Status of the guest when the watch begins (RunState of QEMU's qapi/run-state.json). Earlier events are lost. */
  readonly status: string
}): Effect.Effect<WatchedHealth, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { events, qemu, qmp } = options
    const broken = yield* Deferred.make<never, VmFailed | GuestPanicked>()
    const trouble = yield* SubscriptionRef.make<VmTrouble>("none")

    const consoleTail = qmp.execute("ringbuf-read", { device: "c", size: consoleBytes, format: "utf8" }).pipe(
      Effect.map((text) => typeof text === "string" ? consoleText(text) : ""),
      Effect.timeout("1 second"),
      Effect.orElseSucceed(() => "")
    )

    const guestStopped = (reason: string) =>
      Effect.flatMap(consoleTail, (tail) => Effect.asVoid(Deferred.fail(broken, endOf(reason, tail))))

    const noSpace = pauseUntilRoom(options, trouble)

    const begin = table<Effect.Effect<void, never, Scope.Scope>>({
      shutdown: guestStopped("shutdown"),
      "guest-panicked": guestStopped("guest-panic"),
      // A failed write stopped the guest. Only a full disk ends by waiting.
      "io-error": noSpace
    })

    const take = (event: QmpEvent): Effect.Effect<void, never, Scope.Scope> => {
      switch (event.event) {
        case "SHUTDOWN":
          return guestStopped(String(event.data["reason"]))
        case "GUEST_PANICKED":
          return guestStopped("guest-panic")
        case "BLOCK_IO_ERROR":
          return event.data["nospace"] === true
            ? noSpace
            : SubscriptionRef.set(trouble, "io-error")
        default:
          return Effect.void
      }
    }

    yield* begin[options.status] ?? Effect.void
    yield* Queue.take(events).pipe(Effect.flatMap(take), Effect.forever, Effect.forkScoped)
    yield* qemu.ended.pipe(
      Effect.flatMap((how) => Deferred.fail(broken, vmFailed("run", `QEMU ended: ${how}`))),
      Effect.forkScoped
    )
    // QEMU may still run its last command at any time, so the state of its disks is unknown.
    yield* qmp.closed.pipe(
      Effect.andThen(Effect.sleep(endReported)),
      Effect.andThen(
        Deferred.fail(
          broken,
          vmFailed("run", "QEMU's monitor does not answer any more")
        )
      ),
      Effect.forkScoped
    )
    return {
      giveUp: (failure) => Effect.asVoid(Deferred.fail(broken, failure)),
      failure: Deferred.await(broken),
      trouble: SubscriptionRef.get(trouble),
      troubles: SubscriptionRef.changes(trouble),
      consoleTail
    }
  })
