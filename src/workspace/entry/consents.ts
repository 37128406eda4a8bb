import { Deferred, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { ExportRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import type { AnswerPayload, AskedExport, WaitingExport } from "../../contract/rows/workspace-answer.ts"
import { nowIso } from "../../system/waits/time.ts"
import type { NewEvent } from "./events.ts"

type Decision = AnswerPayload["decision"]

interface Waiting {
  readonly about: WaitingExport
  readonly answered: Deferred.Deferred<Decision>
}

/** Exports of a workspace that wait for the user. They end with their callers. */
export interface Consents {
  /** Waits for the answer. Fails if it is no. `announce` gets what waits, once it can be answered. */
  readonly ask: <R>(
    asked: AskedExport,
    announce: (waiting: WaitingExport) => Effect.Effect<void, never, R>
  ) => Effect.Effect<void, ExportRefused, R>
  /** Answers a request that waits. The first answer counts: a second one fails. */
  readonly answer: (request: string, decision: Decision) => Effect.Effect<WaitingExport, InvalidRequest>
  /** The requests that wait, the oldest first. */
  readonly waiting: () => ReadonlyArray<WaitingExport>
}

export const DENIED = "the user denied this export"

export const makeConsents = (): Consents => {
  const all = new Map<string, Waiting>()
  return {
    ask: (asked, announce) =>
      Effect.acquireUseRelease(
        Effect.map(nowIso, (since): Waiting => {
          const about = { request: randomBytes(3).toString("hex"), since, ...asked }
          const one = { about, answered: Deferred.makeUnsafe<Decision>() }
          all.set(about.request, one)
          return one
        }),
        ({ about, answered }) =>
          Effect.andThen(announce(about), Deferred.await(answered)).pipe(
            Effect.flatMap((decision) =>
              decision === "allow" ? Effect.void : Effect.fail(new ExportRefused({ detail: DENIED, paths: [] }))
            )
          ),
        ({ about }) => Effect.sync(() => void all.delete(about.request))
      ),
    answer: (request, decision) =>
      Effect.suspend(() => {
        const one = all.get(request)
        if (one === undefined || !Deferred.doneUnsafe(one.answered, Effect.succeed(decision))) {
          return new InvalidRequest({
            field: "request",
            detail:
              `no export waits as ${request}: it was answered, or its caller has gone; \`pyro status\` shows what waits`
          })
        }
        return Effect.succeed(one.about)
      }),
    waiting: () => [...all.values()].map(({ about }) => about)
  }
}

/** The event of a request that begins to wait, and of its answer. */
export const askedEvent = ({ kind, output, request }: WaitingExport): NewEvent => ({
  _tag: "export_asked",
  request,
  kind,
  to: output
})
export const answeredEvent = ({ kind, output, request }: WaitingExport, decision: Decision): NewEvent => ({
  _tag: "export_answered",
  request,
  kind,
  to: output,
  decision
})
