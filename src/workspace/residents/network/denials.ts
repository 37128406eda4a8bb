import type { NetworkRecord } from "../../../contract/rows/workspace-network.ts"
import { UNTRUSTED } from "./attempt.ts"
import type { ConnectionLog } from "./log.ts"

/** What the end of a command tells about the network. */
export interface NetworkNews {
  readonly isOn: () => boolean
  /** Position in the log, for `since`. */
  readonly position: () => number
  /** One sentence about the denials after a position; `undefined` without any. */
  readonly since: (position: number) => string | undefined
  /** One sentence about allowed connections after a position that the host could not make; `undefined` without any. */
  readonly failedSince: (position: number) => string | undefined
}

/** The words to type for some options of a policy. */
export type Granting = (options: ReadonlyArray<string>) => string

/** The options alone, for a machine whose policy is fixed. */
const optionsAlone: Granting = (options) => options.join(" ")

/** Hosts that a sentence names. */
const NAMED_HOSTS = 3

const targetOf = ({ host, port }: NetworkRecord) =>
  port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`

/** Whether a person would want to know: a look-up of a name that no rule could allow is a mistake of the program. */
const isWorthTelling = ({ kind, option, outcome }: NetworkRecord) =>
  outcome === "denied" && (kind === "connection" || option !== undefined)

const TRUST_OPTION = "--trust-host-certificates"
const UNTRUSTED_SENTENCE = "the guest's program did not trust the certificate of"
const TRUST_HINT = "If a proxy signs it whose authority this host trusts, use"

const listed = (targets: ReadonlyArray<string>) => {
  const more = targets.length - NAMED_HOSTS
  return `${targets.slice(0, NAMED_HOSTS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** The failed connections in one sentence or two: the guest's program sees ECONNREFUSED alone, whatever the reason. */
export const failureText = (records: ReadonlyArray<NetworkRecord>, granting = optionsAlone): string | undefined => {
  const failed = records.filter(({ kind, outcome }) => kind === "connection" && outcome === "failed")
  const untrusted = new Set(failed.filter(({ reason }) => reason === UNTRUSTED).map(targetOf))
  const unmade = new Map(
    failed.filter(({ reason }) => reason !== UNTRUSTED).map((record) => [targetOf(record), record.reason] as const)
  )
  const sentences = [
    ...(unmade.size === 0 ? [] : [
      `the policy allows the connection, but this host could not make it: ${
        listed([...unmade].map(([target, reason]) => `${target}${reason === undefined ? "" : ` (${reason})`}`))
      }`
    ]),
    ...(untrusted.size === 0
      ? []
      : [`${UNTRUSTED_SENTENCE} ${listed([...untrusted])}. ${TRUST_HINT}: ${granting([TRUST_OPTION])}`])
  ]
  return sentences.length === 0 ? undefined : sentences.join(". ")
}

/** The denials as one sentence: which names, why, and the words that would allow them. */
export const denialText = (records: ReadonlyArray<NetworkRecord>, granting = optionsAlone): string | undefined => {
  const byTarget = new Map<string, NetworkRecord>()
  for (const record of records) if (isWorthTelling(record)) byTarget.set(targetOf(record), record)
  const [first, ...others] = byTarget
  if (first === undefined) return undefined
  const named = [first, ...others.slice(0, NAMED_HOSTS - 1)]
  const more = byTarget.size - named.length
  const options = [...new Set(named.flatMap(([, { option }]) => option === undefined ? [] : [option]))]
  const reasons = [...new Set(named.map(([, { reason }]) => reason))]
  return `the network policy denied ${named.map(([target]) => target).join(", ")}${
    more === 0 ? "" : ` and ${more} more`
  }` +
    (reasons.length === 1 ? `: ${reasons[0]}` : "") +
    (options.length === 0 ? "" : `. To allow: ${granting(options)}`)
}

export const newsOf = (
  log: Pick<ConnectionLog, "position" | "since">,
  isOn: () => boolean,
  granting?: Granting
): NetworkNews => ({
  isOn,
  position: log.position,
  // A guest without a network is denied everything: one hint says so.
  since: (position) => isOn() ? denialText(log.since(position), granting) : undefined,
  failedSince: (position) => failureText(log.since(position), granting)
})
