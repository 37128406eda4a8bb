import type { Told } from "../../../contract/rows/notice.ts"
import type { NetworkRecord } from "../../../contract/rows/workspace-network.ts"
import { fixedPolicySteps, type NetworkNews, type PolicySteps } from "../policy/steps.ts"
import type { ConnectionLog } from "./log.ts"
import { UNTRUSTED } from "./open.ts"

/** Hosts that a sentence names. */
const NAMED_HOSTS = 3

const targetOf = ({ host, port }: NetworkRecord) =>
  port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`

const isByName = ({ remedy }: NetworkRecord) => remedy?.field === "deny_hosts"

/** Whether to report a denial to a person. A look-up of a name that no rule could allow is a mistake of the program, and is not reported. */
const isWorthTelling = ({ kind, outcome, remedy }: NetworkRecord) =>
  outcome === "denied" && (kind === "connection" || remedy !== undefined)

const listed = (targets: ReadonlyArray<string>) => {
  const more = targets.length - NAMED_HOSTS
  return `${targets.slice(0, NAMED_HOSTS).join(", ")}${more > 0 ? ` and ${more} more` : ""}`
}

/** The failed connections: the guest's program sees ECONNREFUSED alone, whatever the reason. */
export const failureNews = (
  records: ReadonlyArray<NetworkRecord>,
  { changing } = fixedPolicySteps
): ReadonlyArray<Told> => {
  const failed = records.filter(({ kind, outcome }) => kind === "connection" && outcome === "failed")
  const untrusted = new Set(failed.filter(({ reason }) => reason === UNTRUSTED).map(targetOf))
  const unmade = new Map(
    failed.filter(({ reason }) => reason !== UNTRUSTED).map((record) => [targetOf(record), record.reason] as const)
  )
  return [
    ...(unmade.size === 0 ? [] : [{
      message: `the policy allows the connection, but this host could not make it: ${
        listed([...unmade].map(([target, reason]) => `${target}${reason === undefined ? "" : ` (${reason})`}`))
      }`,
      next: []
    }]),
    ...(untrusted.size === 0 ? [] : [{
      message: `the guest's program did not trust the certificate of ${listed([...untrusted])}`,
      next: changing([{ field: "trust_host_certificates" }])
    }])
  ]
}

const remediesOf = (named: ReadonlyArray<NetworkRecord>) => named.flatMap(({ remedy }) => remedy ?? [])

/** Names that no rule allows: which names, and why. */
const unallowedNews = (byTarget: ReadonlyMap<string, NetworkRecord>, { changing }: PolicySteps): Told => {
  const named = [...byTarget.values()].slice(0, NAMED_HOSTS)
  const reasons = [...new Set(named.map(({ reason }) => reason))]
  return {
    message: `the network policy denied ${listed([...byTarget.keys()])}${
      reasons.length === 1 ? `: ${reasons[0]}` : ""
    }`,
    next: changing(remediesOf(named))
  }
}

/** Denials by name: a grant opens none of them, so the step takes rules away. */
const deniedByNameNews = (byTarget: ReadonlyMap<string, NetworkRecord>, { changing }: PolicySteps): Told => {
  const remedies = remediesOf([...byTarget.values()].slice(0, NAMED_HOSTS))
  return {
    message: `the network policy denies ${listed([...byTarget.keys()])} by name: ${
      [...new Set(remedies.map(({ rule }) => rule))].join(", ")
    }`,
    next: changing(remedies)
  }
}

/** The denials, without those that are no news to a person. */
export const denialNews = (records: ReadonlyArray<NetworkRecord>, steps = fixedPolicySteps): ReadonlyArray<Told> => {
  const unallowed = new Map<string, NetworkRecord>()
  const byName = new Map<string, NetworkRecord>()
  for (const record of records) {
    if (isWorthTelling(record)) (isByName(record) ? byName : unallowed).set(targetOf(record), record)
  }
  return [
    ...(unallowed.size === 0 ? [] : [unallowedNews(unallowed, steps)]),
    ...(byName.size === 0 ? [] : [deniedByNameNews(byName, steps)])
  ]
}

export const newsOf = (
  log: Pick<ConnectionLog, "position" | "since">,
  isOn: () => boolean,
  steps = fixedPolicySteps,
  trustsHost = () => false
): NetworkNews => ({
  steps,
  isOn,
  trustsHost,
  position: log.position,
  // A guest without a network is denied everything: one hint says so.
  since: (position) => isOn() ? denialNews(log.since(position), steps) : [],
  failedSince: (position) => failureNews(log.since(position), steps)
})
