import type { Grant } from "../../both/tap/ruleset.ts"
import type { Address } from "../../model/address.ts"
import { type Denied, judgeAddress, judgeName } from "../../model/judge.ts"
import type { Rules } from "../../model/policy.ts"

/** No rule names this port: its verdict is that of all ports without a rule. */
const OTHER_PORT = 0

const portsOf = (rules: ReadonlyArray<{ readonly port: number | undefined }>) =>
  rules.flatMap(({ port }) => port === undefined ? [] : [port])

/** Ports that the policy opens of an address to which a name resolved. */
const grantOf = (rules: Rules, name: string, address: string, timeoutSeconds: number): Grant => {
  const isAllowed = (port: number) => judgeName(rules, name, port)._tag === "Allowed"
  const isOpen = isAllowed(OTHER_PORT)
  const differing = [...new Set(portsOf([...rules.allowHosts, ...rules.denyHosts]))]
    .filter((port) => isAllowed(port) !== isOpen)
  return { address, isOpen, ports: isOpen ? [] : differing, closed: isOpen ? differing : [], timeoutSeconds }
}

/** Addresses of a name that the guest may get, and why it gets none. */
export interface Judged {
  readonly addresses: ReadonlyArray<string>
  readonly denied: Denied | undefined
}

const withoutPort = ({ option, reason, ...rest }: Denied, name: string): Denied => ({
  ...rest,
  reason: `${name} resolves to an address that is denied: ${reason}`,
  option: option?.replace(/:0$/, "")
})

/** Judges the addresses that a name resolved to. A rule for one port of an address is enough. */
export const judgeResolved = (
  rules: Rules,
  name: string,
  found: ReadonlyArray<string>,
  own: ReadonlyArray<Address>
): Judged => {
  const ports = [OTHER_PORT, ...portsOf(rules.allowIps)]
  const verdicts = found.map((text) => {
    const judged = ports.map((port) => judgeAddress(rules, text, port, () => own))
    return judged.find(({ _tag }) => _tag === "Allowed") ?? judged[0]!
  })
  const addresses = verdicts.flatMap((verdict) => verdict._tag === "Allowed" ? [verdict.host] : [])
  const denial = verdicts.find((verdict) => verdict._tag === "Denied")
  return { addresses, denied: addresses.length > 0 || denial === undefined ? undefined : withoutPort(denial, name) }
}

/** Names that are kept; a guest chooses them. */
const MAX_NAMES = 1_024
/** Programs that keep an address longer ask again. A flow that was allowed lasts as long as its policy. */
const GRANT_MS = 10 * 60_000

/** The names that a guest looked up lately: another policy judges them again. */
export class KnownNames {
  readonly #names = new Map<string, { readonly addresses: ReadonlyArray<string>; readonly untilMs: number }>()

  /** Notes an answer, and gives the grants that it needs. */
  add(rules: Rules, name: string, addresses: ReadonlyArray<string>, nowMs: number): ReadonlyArray<Grant> {
    this.#names.delete(name)
    this.#names.set(name, { addresses, untilMs: nowMs + GRANT_MS })
    if (this.#names.size > MAX_NAMES) this.#names.delete(this.#names.keys().next().value!)
    return addresses.map((address) => grantOf(rules, name, address, GRANT_MS / 1_000))
  }

  /** The grants of all names under a policy. A name that the policy denies is forgotten. */
  grants(rules: Rules, nowMs: number): ReadonlyArray<Grant> {
    const grants: Array<Grant> = []
    for (const [name, { addresses, untilMs }] of this.#names) {
      const seconds = Math.ceil((untilMs - nowMs) / 1_000)
      if (seconds <= 0 || judgeName(rules, name)._tag === "Denied") this.#names.delete(name)
      else grants.push(...addresses.map((address) => grantOf(rules, name, address, seconds)))
    }
    return grants
  }

  /** Names of an address, the newest first. */
  namesOf(address: string): ReadonlyArray<string> {
    return [...this.#names].flatMap(([name, { addresses }]) => addresses.includes(address) ? [name] : []).toReversed()
  }
}
