import { Data, Deferred, Effect, Exit, type Scope } from "effect"
import type { Socket } from "node:net"
import { deadlineScale } from "../../../../system/settings/deadline-scale.ts"
import { settleAfterwards, waitFor } from "../../../../system/waits/signal.ts"

/** QEMU refused a monitor command, or its monitor is gone. */
export class QmpFailed extends Data.TaggedError("QmpFailed")<{
  readonly command: string
  /** `class` of QEMU's error object, or "Closed" when the connection ended. */
  readonly kind: string
  readonly detail: string
}> {
  override get message() {
    return `QEMU's monitor, ${this.command}: ${this.detail}`
  }
}

/** An asynchronous message of QEMU's monitor (docs/interop/qmp-spec of QEMU). */
export interface QmpEvent {
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

/** One connection to the monitor of one QEMU. Commands need not wait for earlier ones; answers come in order. */
export interface Qmp {
  /** Runs one command and gives its `return` value. */
  readonly execute: (command: string, args?: Readonly<Record<string, unknown>>) => Effect.Effect<unknown, QmpFailed>
  /** Sends several commands in one write; the effect ends with the last answer, and fails with the first refusal. */
  readonly executeAll: (
    commands: ReadonlyArray<readonly [string, Readonly<Record<string, unknown>>?]>
  ) => Effect.Effect<void, QmpFailed>
  /** Completes when the connection has ended. */
  readonly closed: Effect.Effect<void>
}

/** QEMU's longest valid answers have some KiB. A QEMU under a guest's control must not fill our memory. */
const maxLineBytes = 1024 * 1024

/** QEMU answers in ms, on a host that swaps in seconds. */
const defaultAnswerTimeoutMs = 30_000 * deadlineScale

/** Commands that make QEMU flush its cache before the answer: the disk may be slow and the cache full. */
const flushing: ReadonlySet<string> = new Set([
  "stop",
  "blockdev-snapshot",
  "blockdev-del",
  "blockdev-reopen",
  "qom-set"
])
const flushTimeoutMs = 300_000 * deadlineScale

/** How often a QEMU that owes an answer is checked, in ms: a process that a signal has stopped does not answer. */
const defaultLookEveryMs = 1_000
/** Number of checks in a row that find it stopped before its monitor counts as gone: a debugger stops a process for a moment. */
const stoppedLooks = 5

interface Pending {
  readonly command: string
  readonly resume: (result: Exit.Exit<unknown, QmpFailed>) => void
}

interface Waits {
  readonly answerTimeoutMs?: number | undefined
  readonly isStopped: () => boolean
  readonly lookEveryMs: number
}

/** The deadline of one command: `fail` is called if it has no answer, or if QEMU is stopped meanwhile. */
const answerDeadline = ({ answerTimeoutMs, isStopped, lookEveryMs }: Waits, fail: (detail: string) => void) => {
  let deadline: NodeJS.Timeout | undefined
  let look: NodeJS.Timeout | undefined
  const stopWaiting = () => {
    clearTimeout(deadline)
    clearInterval(look)
  }
  /** Starts the deadline of the oldest waiting command. */
  const awaitAnswer = (command: string) => {
    stopWaiting()
    const timeoutMs = answerTimeoutMs ?? (flushing.has(command) ? flushTimeoutMs : defaultAnswerTimeoutMs)
    deadline = setTimeout(() => fail(`no answer to ${command} within ${timeoutMs / 1000} s`), timeoutMs).unref()
    let looks = 0
    look = setInterval(() => {
      looks = isStopped() ? looks + 1 : 0
      if (looks >= stoppedLooks) fail(`no answer to ${command}: QEMU is stopped by a signal or a debugger`)
    }, lookEveryMs).unref()
  }
  return { awaitAnswer, stopWaiting }
}

const lost = (command: string, detail: string) => new QmpFailed({ command, kind: "Closed", detail })
const ENDED = "the connection has ended"

/** The commands that wait for their answers, which come in order. The oldest one has a deadline, and so has the greeting. */
const waitingCommands = (waits: Waits, fail: (detail: string) => void) => {
  const waiting: Array<Pending> = []
  const { awaitAnswer, stopWaiting } = answerDeadline(waits, fail)
  awaitAnswer("greeting")
  return {
    greeted: stopWaiting,
    add: (command: Pending) => {
      if (waiting.push(command) === 1) awaitAnswer(command.command)
    },
    /** The command that has its answer now. */
    next: () => {
      const answered = waiting.shift()
      if (waiting[0] === undefined) stopWaiting()
      else awaitAnswer(waiting[0].command)
      return answered
    },
    /** The connection has ended. */
    lose: (detail: string) => {
      stopWaiting()
      for (const { command, resume } of waiting.splice(0)) resume(Exit.fail(lost(command, detail)))
    }
  }
}

/** A receiver of text that passes each whole line on. */
const eachLine = (take: (line: string) => void, fail: (detail: string) => void) => {
  let buffered = ""
  return (chunk: string) => {
    buffered += chunk
    let end = buffered.indexOf("\n")
    while (end >= 0) {
      const line = buffered.slice(0, end)
      buffered = buffered.slice(end + 1)
      try {
        if (line.trim() !== "") take(line)
      } catch {
        return fail("it sent something that is not QMP")
      }
      end = buffered.indexOf("\n")
    }
    if (buffered.length > maxLineBytes) fail("it sent an endless line")
  }
}

/** QEMU's refusal of a command. */
const refusalOf = (command: string, error: unknown) => {
  const { class: kind, desc } = (error ?? {}) as { readonly class?: unknown; readonly desc?: unknown }
  return new QmpFailed({ command, kind: String(kind), detail: String(desc).slice(0, 2000) })
}

/**
 * Speaks QMP over a connected socket and negotiates capabilities. Calls `onEvent` synchronously for each event. The Scope destroys the
 * socket. QEMU continues after the end of its monitor's connection. A monitor counts as gone if a command has no answer after
 * `answerTimeoutMs`, or while `isStopped` says that its process does not run. All waiting commands then fail.
 */
export const makeQmp = (
  socket: Socket,
  onEvent: (event: QmpEvent) => void,
  { answerTimeoutMs, isStopped = () => false, lookEveryMs = defaultLookEveryMs }: {
    readonly answerTimeoutMs?: number
    readonly isStopped?: () => boolean
    readonly lookEveryMs?: number
  } = {}
): Effect.Effect<Qmp, QmpFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const greeted = yield* Deferred.make<void, QmpFailed>()
    const closed = yield* Deferred.make<void>()
    let ended = false
    const answers = waitingCommands({ answerTimeoutMs, isStopped, lookEveryMs }, (detail) => fail(detail))

    const fail = (detail: string) => {
      if (ended) {
        return
      }
      ended = true
      answers.lose(detail)
      settleAfterwards(greeted, Effect.fail(lost("greeting", detail)))
      settleAfterwards(closed, Effect.void)
      socket.destroy()
    }

    const take = (line: string) => {
      const message = JSON.parse(line) as Record<string, unknown>
      if (typeof message["event"] === "string") {
        return onEvent({ event: message["event"], data: (message["data"] ?? {}) as Record<string, unknown> })
      }
      if ("QMP" in message) {
        answers.greeted()
        return settleAfterwards(greeted, Effect.void)
      }
      const waiting = answers.next()
      if (waiting === undefined) return
      if ("return" in message) return waiting.resume(Exit.succeed(message["return"]))
      waiting.resume(Exit.fail(refusalOf(waiting.command, message["error"])))
    }

    socket.setEncoding("utf8")
    socket.on("data", eachLine(take, (detail) => fail(detail)))
    socket.on("error", (cause) => fail(cause.message))
    socket.on("close", () => fail("the connection ended (QEMU is gone?)"))
    yield* Effect.addFinalizer(() => Effect.sync(() => fail("the connection was closed by pyro")))

    const frame = (command: string, args: Readonly<Record<string, unknown>> | undefined) =>
      JSON.stringify({ execute: command, ...(args === undefined ? {} : { arguments: args }) }) + "\n"

    const execute: Qmp["execute"] = (command, args) =>
      waitFor((resume) => {
        if (ended) {
          return resume(Effect.fail(lost(command, ENDED)))
        }
        answers.add({ command, resume })
        socket.write(frame(command, args))
      })

    const executeAll: Qmp["executeAll"] = (commands) =>
      waitFor<void, QmpFailed>((resume) => {
        if (commands.length === 0) return resume(Effect.void)
        if (ended) {
          return resume(Effect.fail(lost(commands[0]![0], ENDED)))
        }
        let left = commands.length
        let failure: Exit.Exit<never, QmpFailed> | undefined
        for (const [command] of commands) {
          answers.add({
            command,
            resume: (result) => {
              if (failure === undefined && Exit.isFailure(result)) failure = Exit.failCause(result.cause)
              left -= 1
              if (left === 0) resume(failure ?? Effect.void)
            }
          })
        }
        socket.write(commands.map(([command, args]) => frame(command, args)).join(""))
      })

    yield* Deferred.await(greeted)
    yield* execute("qmp_capabilities")
    return { execute, executeAll, closed: Deferred.await(closed) }
  })
