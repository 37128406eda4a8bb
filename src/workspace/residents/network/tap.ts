import { Clock, Effect, type Scope } from "effect"
import { TYPE_A, TYPE_AAAA } from "../../../network/Dialler.ts"
import { type Denied, judgeLiteral, judgeName } from "../../../network/judge.ts"
import { THIS_HOST } from "../../../network/name.ts"
import type { Rules } from "../../../network/policy.ts"
import { type DeniedFlow, type Found, openTap, type Question, type Tap, type TapFailed } from "../../../network/Tap.ts"
import { processName } from "../../../vm/record.ts"
import type { Vm } from "../../../vm/Vm.ts"
import type { Connecting } from "./connecting.ts"
import type { NewRecord } from "./log.ts"
import { makeRecent } from "./lookup.ts"

type Serving = Pick<Connecting, "dialler" | "group" | "record" | "rules">

/** pyro makes no connection of a network device. */
const thisHostDenied: Denied = {
  _tag: "Denied",
  reason: `${THIS_HOST} needs the network driver streams`,
  option: undefined
}

/** Judges a name, and asks for its addresses, or for other records. */
const lookUp = ({ name, type }: Question, rules: Rules, { dialler, group }: Serving): Effect.Effect<Found> => {
  if (type !== TYPE_A && type !== TYPE_AAAA) {
    return Effect.map(
      dialler.resolve({ name, type, rules, group }),
      ({ answer, denied }): Found =>
        denied !== undefined ? { _tag: "Denied", denied } : answer._tag === "Address" ? { _tag: "NoData" } : answer
    )
  }
  const judged = judgeName(rules, name)
  const verdict = judged._tag === "Allowed" && judged.host === THIS_HOST ? thisHostDenied : judged
  if (verdict._tag === "Denied") return Effect.succeed({ _tag: "Denied", denied: verdict })
  return dialler.addressesOf(verdict.host, group).pipe(
    Effect.map((addresses): Found => ({ _tag: "Addresses", addresses })),
    Effect.catch(({ detail, reason }) =>
      Effect.as(Effect.logDebug(detail), {
        _tag: reason === "unresolved" ? "NoSuchName" as const : "ServerFailure" as const
      })
    )
  )
}

const denial = (
  atMs: number,
  { option, reason }: Pick<Denied, "option" | "reason">
): Omit<NewRecord, "host" | "kind"> => ({
  at: new Date(atMs).toISOString(),
  outcome: "denied",
  reason,
  ...(option === undefined ? {} : { option }),
  bytesOut: 0,
  bytesIn: 0,
  durationMs: 0
})

/** Why the firewall denied a flow, by the rules that it was made of. */
const reasonOf = ({ address, port = 0 }: DeniedFlow, name: string | undefined, rules: Rules) => {
  const verdict = name === undefined
    ? judgeLiteral(rules, address, port)
    : judgeName(rules, name, port)
  return verdict._tag === "Denied"
    ? verdict
    : { reason: "the guest did not look the name up first, or its addresses are too old", option: undefined }
}

/** Connects the device of a microVM until the Scope closes, and records what the policy denies. */
export const serveTap = (
  { id, process }: Pick<Vm, "id" | "process">,
  serving: Serving
): Effect.Effect<Tap, TapFailed, Scope.Scope> => {
  const isRecent = makeRecent()
  const { record, rules } = serving
  return openTap({
    pid: process.pid,
    tag: processName(id),
    rules: rules(),
    lookUp: (question, judgedBy) => lookUp(question, judgedBy, serving),
    onDeniedName: (question, denied) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        isRecent(question, nowMs)
          ? Effect.void
          : record({ ...denial(nowMs, denied), kind: "lookup", host: question.name })),
    onDeniedFlow: (flow, names) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        record({
          ...denial(nowMs, reasonOf(flow, names[0], rules())),
          kind: "connection",
          host: names[0] ?? flow.address,
          ...(flow.port === undefined ? {} : { port: flow.port })
        }))
  })
}
