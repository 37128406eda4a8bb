import { Deferred, Effect, Fiber, Semaphore, Stream } from "effect"
import type { LentAgent } from "../../../contract/rows/ssh-agent-fields.ts"
import { escapeGuestText } from "../../../contract/text/printable.ts"
import { lend, type Use, type Wanted } from "../../../lib/ssh/lend-agent.ts"
import { socketTrouble } from "../../../system/files/own-socket.ts"
import { monotonicMs } from "../../../system/waits/time.ts"
import { loginAskedEvent } from "../../entry/consents.ts"
import type { NewEvent } from "../../entry/events.ts"
import type { ResidentVm } from "../../entry/resident.ts"
import { makeAgentEvents } from "./agent-events.ts"
import { makeWaitedBucket } from "./bucket.ts"
import { launchAgent } from "./helper.ts"
import { hostKeysOf, type LastingLoan, type LoanSource } from "./loan-source.ts"

/** Maximum time of a start of a VM for the guest's socket, in ms. */
const START_MS = 5_000
/** Time until a person must have answered, in ms: servers end a login soon after. */
const ANSWER_MS = 120_000
/** Time before the guest's end is started again, in ms, the first and the longest. */
const AGAIN_MS = { first: 1_000, longest: 60_000 }
/** Messages of a guest that the daemon judges at once, and per second after these. A login has three. */
const MESSAGES = { atOnce: 200, perSecond: 50 }
/** Maximum characters of the reason that the guest's end gives for a failure. */
const SAID = 200

/** Waits for the person, as long as the program of the guest does. */
const askPerson = (
  { askLogin, record, refused }: {
    readonly askLogin: LoanSource["askLogin"]
    readonly record: (event: NewEvent) => Effect.Effect<void>
    readonly refused: (reason: string) => Effect.Effect<void>
  }
) =>
(wanted: Wanted, gone: Effect.Effect<void>): Effect.Effect<boolean> => {
  const unanswered = (why: string) => Effect.as(refused(`a login to ${wanted.host}, because ${why}`), false)
  return Effect.raceFirst(
    askLogin(wanted, (waiting) => record(loginAskedEvent(waiting))),
    Effect.andThen(gone, unanswered("its program has gone"))
  ).pipe(
    Effect.timeoutOrElse({
      duration: ANSWER_MS,
      orElse: () => unanswered(`no answer within ${ANSWER_MS / 60_000} minutes`)
    })
  )
}

/** Carries messages between the guest's end and the daemon's, until the guest's end has ended. Gives the reason. */
const carried = (
  process: Effect.Success<ReturnType<typeof launchAgent>>,
  { answers, take }: Effect.Success<ReturnType<typeof lend>>
) =>
  Effect.gen(function*() {
    let said = ""
    yield* Effect.raceFirst(
      Stream.runForEach(answers, process.writeStdin),
      Stream.runForEach(process.output, ({ bytes, from }) => {
        if (from === "stdout") return take(bytes)
        said = (said + escapeGuestText(Buffer.from(bytes.subarray(0, SAID)))).slice(0, SAID)
        return Effect.void
      })
    )
    return said.trim() === "" ? "its part in the guest has ended" : said.trim()
  })

/**
 * The agent that a person lends to a workspace for its life. The daemon judges each message of the guest, as the command `ssh-agent` does. It
 * follows the record: a copy of the workspace has no loan there, and so no agent.
 */
export type LastingAgent = Effect.Success<ReturnType<typeof makeLastingAgent>>

export const makeLastingAgent = (
  { askLogin, recorded, user }: LoanSource,
  log: (event: NewEvent) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const one = yield* Semaphore.make(1)
    const record = yield* makeAgentEvents(log)
    const pace = makeWaitedBucket(MESSAGES.atOnce, MESSAGES.perSecond)
    let vm: ResidentVm | undefined
    let serving: Fiber.Fiber<unknown> | undefined
    let trouble: string | undefined

    const refused = (reason: string) => record({ _tag: "ssh_agent_refused", reason })
    const tell = (use: Use) =>
      use._tag === "Refused" ? refused(use.reason) : record({ _tag: "ssh_login", ...use.wanted })

    const asks = askPerson({ askLogin, record, refused })

    /** Serves until the guest's end has ended. Gives the reason. */
    const serve = (loan: LastingLoan, { channel }: ResidentVm, listening: Effect.Effect<unknown>) =>
      Effect.scoped(Effect.gen(function*() {
        const process = yield* Effect.acquireRelease(launchAgent(channel, yield* user), ({ release }) => release)
        const { answers, take } = yield* lend(
          {
            agent: loan.socket,
            mayAsk: () => socketTrouble(loan.socket) === undefined,
            hosts: () => hostKeysOf(loan.hosts),
            allows: loan.ask ? asks : () => Effect.succeed(true),
            tell,
            pace: pace.wait
          },
          Effect.suspend(() => {
            trouble = undefined
            return Effect.asVoid(listening)
          })
        )
        return yield* carried(process, { answers, take })
      })).pipe(Effect.catch(({ message }) => Effect.succeed(message)))

    /** Serves until it is interrupted. A program of the guest may end the guest's end. */
    const keepServing = (loan: LastingLoan, present: ResidentVm, listening: Effect.Effect<unknown>) =>
      Effect.gen(function*() {
        let waitMs = AGAIN_MS.first
        for (;;) {
          const begunMs = yield* monotonicMs
          trouble = yield* serve(loan, present, listening)
          // No command waits longer for a socket that does not appear.
          yield* listening
          yield* Effect.sleep(waitMs)
          const isLong = (yield* monotonicMs) - begunMs > 2 * AGAIN_MS.longest
          waitMs = isLong ? AGAIN_MS.first : Math.min(2 * waitMs, AGAIN_MS.longest)
        }
      })

    const stop = Effect.suspend(() => {
      const ended = serving
      serving = undefined
      trouble = undefined
      return ended === undefined ? Effect.void : Fiber.interrupt(ended)
    })

    const start = Effect.gen(function*() {
      const loan = yield* recorded
      if (vm === undefined || loan === undefined) return
      const listening = yield* Deferred.make<void>()
      serving = yield* Effect.forkIn(keepServing(loan, vm, Deferred.succeed(listening, undefined)), vm.scope)
      // Commands that start next find the socket.
      yield* Effect.raceFirst(Deferred.await(listening), Effect.sleep(START_MS))
    })

    const again = Effect.andThen(stop, start)

    return {
      /** The loan of the record, and the reason why it cannot be used now. */
      loan: Effect.map(
        recorded,
        (loan): LentAgent | undefined => {
          if (loan === undefined) return undefined
          const missing = socketTrouble(loan.socket)
          const detail = missing === undefined
            ? trouble
            : `${missing}, so no login works until you lend it again`
          return { ...loan, ...(detail === undefined ? {} : { detail }) }
        }
      ),
      /** Lends in a VM that the workspace has now. */
      begin: (next: ResidentVm) =>
        one.withPermits(1)(Effect.suspend(() => {
          if (serving !== undefined && vm?.channel === next.channel) return Effect.void
          vm = next
          return again
        })),
      /** The VM has ended. */
      end: one.withPermits(1)(Effect.suspend(() => {
        vm = undefined
        return stop
      })),
      /** Follows a change of the record. */
      follow: one.withPermits(1)(again)
    }
  })
