import { Clock, Effect, type Scope } from "effect"
import { HostToolMissing, InvalidRequest, NetworkDriverUnavailable } from "../../../contract/errors/errors.ts"
import type { NetworkDriver } from "../../../contract/rows/network-fields.ts"
import { TYPE_A, TYPE_AAAA } from "../../../lib/network/Dialler.ts"
import { type Denied, judgeLiteral, judgeName } from "../../../lib/network/model/judge.ts"
import { THIS_HOST } from "../../../lib/network/model/name.ts"
import type { Rules } from "../../../lib/network/model/policy.ts"
import {
  type DeniedFlow,
  type Found,
  openTap,
  type Question,
  type Tap,
  type TapFailed
} from "../../../lib/network/Tap.ts"
import { processName } from "../../../lib/vm/model/record.ts"
import type { Vm } from "../../../lib/vm/model/Vm.ts"
import { runTool } from "../../../system/processes/child.ts"
import { packageOf } from "../../../system/processes/child.ts"
import { findProgram, isRoot } from "../../../system/processes/host.ts"
import { nativeTool } from "../../../system/processes/native.ts"
import type { Connecting } from "./open.ts"
import { denialAt, makeRecent } from "./serve.ts"

/** Programs that the driver starts. */
const PROGRAMS = ["bwrap", "nsenter", "nft", "pasta"]

const unavailable = (detail: string) => new NetworkDriverUnavailable({ driver: "tap", detail })

/** Fails unless this host can give microVMs a tap device: tries a device and a firewall table in a network namespace. Nothing stays. */
export const demandTap: Effect.Effect<void, NetworkDriverUnavailable | HostToolMissing> = Effect.gen(function*() {
  if (!isRoot()) return yield* unavailable("it needs root")
  const missing = PROGRAMS.find((program) => findProgram(program) === undefined)
  if (missing !== undefined) {
    const detail = "--network-driver tap needs it"
    return yield* new HostToolMissing({ tool: missing, package: packageOf(missing), detail })
  }
  const tool = yield* nativeTool("pyro-tap")
  // Any free descriptor will do.
  yield* runTool(tool, ["9", findProgram("nft")!, "add", "table", "inet", "pyro"]).pipe(
    Effect.catchTag("ToolFailed", ({ stderr }) => unavailable(stderr.trim()))
  )
})

/** Secrets of a host need a driver that reads connections. */
export const demandStreams = (
  driver: NetworkDriver | undefined,
  secretHttp: ReadonlyArray<string> = []
): Effect.Effect<void, InvalidRequest> =>
  driver === "tap" && secretHttp.length > 0
    ? new InvalidRequest({
      field: "secret_http",
      detail: "needs the network driver streams: pyro reads no bytes of a network device's connections"
    })
    : Effect.void

/** Fails unless this host has the driver of a request, and the driver has what the request asks for. */
export const demandDriver = (
  { networkDriver, secretHttp }: {
    readonly networkDriver?: NetworkDriver
    readonly secretHttp?: ReadonlyArray<string>
  }
): Effect.Effect<void, InvalidRequest | NetworkDriverUnavailable | HostToolMissing> =>
  networkDriver === "tap" ? Effect.andThen(demandStreams(networkDriver, secretHttp), demandTap) : Effect.void

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

/** Why the firewall, which is made from the rules, denied a flow. */
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
          : record({ ...denialAt(nowMs, denied), kind: "lookup", host: question.name })),
    onDeniedFlow: (flow, names) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        record({
          ...denialAt(nowMs, reasonOf(flow, names[0], rules())),
          kind: "connection",
          host: names[0] ?? flow.address,
          ...(flow.port === undefined ? {} : { port: flow.port })
        }))
  })
}
