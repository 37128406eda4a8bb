import type { NetworkRecord } from "../../../contract/rows/workspace-network.ts"
import { typed } from "../../../contract/text/printable.ts"
import { denyingHost } from "../../../lib/network/model/judge.ts"
import { aloneInWords, type NetworkNews, type PolicyWords, TRUST_OPTION } from "../policy/words.ts"
import type { ConnectionLog } from "./log.ts"
import { UNTRUSTED } from "./open.ts"

/** Hosts that a sentence names. */
const NAMED_HOSTS = 3

const targetOf = ({ host, port }: NetworkRecord) =>
  port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`

/** Whether to report a denial to a person. A look-up of a name that no rule could allow is a mistake of the program, and is not reported. */
const isWorthTelling = ({ kind, option, outcome, reason }: NetworkRecord) =>
  outcome === "denied" && (kind === "connection" || option !== undefined || denyingHost(reason) !== undefined)

const UNTRUSTED_SENTENCE = "the guest's program did not trust the certificate of"
const TRUST_HINT = "If a proxy signs it whose authority this host trusts, use"

const listed = (targets: ReadonlyArray<string>) => {
  const more = targets.length - NAMED_HOSTS
  return `${targets.slice(0, NAMED_HOSTS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** The failed connections in one sentence or two: the guest's program sees ECONNREFUSED alone, whatever the reason. */
export const failureText = (records: ReadonlyArray<NetworkRecord>, { granting } = aloneInWords): string | undefined => {
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

/** One sentence about names that no rule allows: which names, why, and the words that would allow them. */
const unallowedText = (byTarget: ReadonlyMap<string, NetworkRecord>, { granting }: PolicyWords) => {
  const named = [...byTarget.values()].slice(0, NAMED_HOSTS)
  const options = [...new Set(named.flatMap(({ option }) => option === undefined ? [] : [option]))]
  const reasons = [...new Set(named.map(({ reason }) => reason))]
  return `the network policy denied ${listed([...byTarget.keys()])}` +
    (reasons.length === 1 ? `: ${reasons[0]}` : "") +
    (options.length === 0 ? "" : `. To allow: ${granting(options)}`)
}

/** Denials by name: a grant opens none of them, so the sentence proposes none. */
const deniedByNameText = (byTarget: ReadonlyMap<string, NetworkRecord>, { lifting }: PolicyWords) => {
  const rules = [...byTarget.values()].slice(0, NAMED_HOSTS).flatMap(({ reason }) => denyingHost(reason) ?? [])
  const denyHosts = [...new Set(rules)]
  return `the network policy denies ${listed([...byTarget.keys()])} by name: ` +
    `${typed(denyHosts.flatMap((rule) => ["--deny-host", rule]))}. To lift this denial, ${lifting(denyHosts)}`
}

/** The denials in one sentence or two; `undefined` without any. */
export const denialText = (records: ReadonlyArray<NetworkRecord>, words = aloneInWords): string | undefined => {
  const unallowed = new Map<string, NetworkRecord>()
  const byName = new Map<string, NetworkRecord>()
  for (const record of records) {
    if (!isWorthTelling(record)) continue
    const kind = denyingHost(record.reason) === undefined ? unallowed : byName
    kind.set(targetOf(record), record)
  }
  const sentences = [
    ...(unallowed.size === 0 ? [] : [unallowedText(unallowed, words)]),
    ...(byName.size === 0 ? [] : [deniedByNameText(byName, words)])
  ]
  return sentences.length === 0 ? undefined : sentences.join(". ")
}

export const newsOf = (
  log: Pick<ConnectionLog, "position" | "since">,
  isOn: () => boolean,
  words = aloneInWords,
  trustsHost = () => false
): NetworkNews => ({
  words,
  isOn,
  trustsHost,
  position: log.position,
  // A guest without a network is denied everything: one hint says so.
  since: (position) => isOn() ? denialText(log.since(position), words) : undefined,
  failedSince: (position) => failureText(log.since(position), words)
})
