import type { OpenConnection } from "../../../contract/rows/workspace-network.ts"
import { type Denied, judgeAddress, judgeLiteral, judgeName } from "../../../network/judge.ts"
import { THIS_HOST } from "../../../network/name.ts"
import type { Rules } from "../../../network/policy.ts"
import type { Counts } from "../../../network/splice.ts"
import { Signal } from "../../../system/waits/signal.ts"

/** A connection that is open now. */
export interface LiveConnection {
  /** Time of the guest's request, ISO 8601. */
  readonly at: string
  /** Name that the guest asked for; `undefined` for a literal address. */
  readonly name: string | undefined
  /** Address that the guest asked for. */
  readonly literal: string
  readonly port: number
  /** Address that the host connected to. */
  readonly address: string
  readonly viaProxy: boolean
  /** The first bytes were compared with the name. */
  readonly isInspected: boolean
  readonly counts: Counts
  /** Comes when the host resets the connection. */
  readonly reset: Signal<Reset>
}

/** Why the host resets a connection. `denied`: the policy forbids the connection now. */
export interface Reset {
  readonly outcome: "allowed" | "denied"
  readonly reason: string
  readonly option?: string
}

export const makeLive = (fields: Omit<LiveConnection, "counts" | "reset">): LiveConnection => ({
  ...fields,
  counts: { sentBytes: 0, receivedBytes: 0 },
  reset: new Signal()
})

/** The host of a connection, as the log names it. */
export const hostOf = ({ literal, name }: Pick<LiveConnection, "literal" | "name">) => name ?? literal

const denied = ({ option, reason }: Pick<Denied, "option" | "reason">): Reset => ({
  outcome: "denied",
  reason,
  ...(option === undefined ? {} : { option })
})

/** Why rules forbid a connection that was made under other rules; `undefined` if they allow the connection. */
export const forbiddenBy = (rules: Rules, live: LiveConnection): Reset | undefined => {
  const { address, literal, name, port, viaProxy } = live
  const asked = name === undefined ? judgeLiteral(rules, literal, port) : judgeName(rules, name, port)
  if (asked._tag === "Denied") return denied(asked)
  if (name !== undefined && name !== THIS_HOST && !viaProxy) {
    const dialled = judgeAddress(rules, address, port)
    if (dialled._tag === "Denied") return denied(dialled)
  }
  // Its first bytes may name a host that the rules forbid.
  return name !== undefined && rules.comparesNames && !live.isInspected
    ? denied({ reason: "the connection is older than the rules for names", option: undefined })
    : undefined
}

/** Resets a connection on both sides. */
export const resetLive = (live: LiveConnection, reset: Reset): void => live.reset.send(reset)

export const describeLive = (live: LiveConnection): OpenConnection => ({
  at: live.at,
  host: hostOf(live),
  port: live.port,
  address: live.address,
  bytesOut: live.counts.sentBytes,
  bytesIn: live.counts.receivedBytes
})
