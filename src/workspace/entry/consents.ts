import { Deferred, Effect } from "effect"
import { randomBytes } from "node:crypto"
import { ExportRefused, InvalidRequest } from "../../contract/errors/errors.ts"
import { call } from "../../contract/errors/next-step.ts"
import type { AskedLogin, WaitingLogin } from "../../contract/rows/ssh-agent-fields.ts"
import type { AnswerPayload, AskedExport, WaitingExport } from "../../contract/rows/workspace-answer.ts"
import { nowIso } from "../../system/waits/time.ts"
import type { NewEvent } from "./events.ts"

type Decision = AnswerPayload["decision"]

/** A waiting request: an export, or a login with a lent SSH agent. */
export type WaitingRequest = WaitingExport | WaitingLogin

interface Waiting {
  readonly about: WaitingRequest
  readonly answered: Deferred.Deferred<Decision>
}

const isLogin = (about: WaitingRequest): about is WaitingLogin => "fingerprint" in about
const isExport = (about: WaitingRequest): about is WaitingExport => !isLogin(about)

/** Requests of a workspace that wait for the user. They end with their callers. */
export interface Consents {
  /** Waits for the answer, and fails if the answer is no. `announce` gets the waiting request as soon as it can be answered. */
  readonly ask: <R>(
    asked: AskedExport & Pick<WaitingExport, "client">,
    announce: (waiting: WaitingExport) => Effect.Effect<void, never, R>
  ) => Effect.Effect<void, ExportRefused, R>
  /** The same for a login. Returns whether the login is allowed. */
  readonly askLogin: <R>(
    asked: AskedLogin,
    announce: (waiting: WaitingLogin) => Effect.Effect<void, never, R>
  ) => Effect.Effect<boolean, never, R>
  /** Answers a request that waits. The first answer counts: a second one fails. */
  readonly answer: (request: string, decision: Decision) => Effect.Effect<WaitingRequest, InvalidRequest>
  /** The exports that wait, the oldest first. */
  readonly waiting: () => ReadonlyArray<WaitingExport>
  /** The logins that wait, the oldest first. */
  readonly pendingLogins: () => ReadonlyArray<WaitingLogin>
}

export const DENIED = "the user denied this export"

export const makeConsents = (): Consents => {
  const all = new Map<string, Waiting>()

  const decisionOn = <Asked extends object, R>(
    asked: Asked,
    announce: (waiting: Asked & Pick<WaitingRequest, "request" | "since">) => Effect.Effect<void, never, R>
  ) =>
    Effect.acquireUseRelease(
      Effect.map(nowIso, (since) => {
        const about = { request: randomBytes(3).toString("hex"), since, ...asked }
        const answered = Deferred.makeUnsafe<Decision>()
        all.set(about.request, { about: about as unknown as WaitingRequest, answered })
        return { about, answered }
      }),
      ({ about, answered }) => Effect.andThen(announce(about), Deferred.await(answered)),
      ({ about }) => Effect.sync(() => void all.delete(about.request))
    )

  return {
    ask: (asked, announce) =>
      Effect.flatMap(
        decisionOn(asked, announce),
        (decision) => decision === "allow" ? Effect.void : Effect.fail(new ExportRefused({ detail: DENIED, paths: [] }))
      ),
    askLogin: (asked, announce) => Effect.map(decisionOn(asked, announce), (decision) => decision === "allow"),
    answer: (request, decision) =>
      Effect.suspend(() => {
        const one = all.get(request)
        if (one === undefined || !Deferred.doneUnsafe(one.answered, Effect.succeed(decision))) {
          return new InvalidRequest({
            field: "request",
            detail: `nothing waits as ${request}: it was answered, or its caller has gone`,
            next: [call("See what waits", "workspace.status")]
          })
        }
        return Effect.succeed(one.about)
      }),
    waiting: () => [...all.values()].map(({ about }) => about).filter(isExport),
    pendingLogins: () => [...all.values()].map(({ about }) => about).filter(isLogin)
  }
}

/** The event of an export that begins to wait. */
export const askedEvent = ({ kind, output, request }: WaitingExport): NewEvent => ({
  _tag: "export_asked",
  request,
  kind,
  to: output
})

/** The event of a login that begins to wait. */
export const loginAskedEvent = ({ fingerprint, host, request, user }: WaitingLogin): NewEvent => ({
  _tag: "ssh_login_asked",
  request,
  host,
  user,
  fingerprint
})

/** The event of an answer. */
export const answeredEvent = (waiting: WaitingRequest, decision: Decision): NewEvent => {
  const { request } = waiting
  if (isLogin(waiting)) {
    const { fingerprint, host, user } = waiting
    return { _tag: "ssh_login_answered", request, host, user, fingerprint, decision }
  }
  return { _tag: "export_answered", request, kind: waiting.kind, to: waiting.output, decision }
}
