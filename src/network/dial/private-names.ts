import { startTimer } from "../../system/timer.ts"
import { readAddress } from "../address/address.ts"
import { deniedRangeOf } from "../address/ranges.ts"
import { Refusal } from "./refusal.ts"
import { addressesOf } from "./resolve.ts"

/**
 * Endings that only private networks resolve: special-use names (RFC 6761, 6762, 7686, 8375, 9476), `.internal` (reserved by ICANN in
 * 2024), and endings that ICANN never delegates because networks use them (`home`, `corp`, `mail`), with other usual ones.
 */
const PRIVATE_ENDINGS = [
  "local",
  "localhost",
  "localdomain",
  "internal",
  "intranet",
  "private",
  "lan",
  "home",
  "home.arpa",
  "corp",
  "mail",
  "alt",
  "onion",
  "invalid",
  "in-addr.arpa",
  "ip6.arpa"
]

/** Time for this host's own answer, in ms: where only a proxy resolves names, there is none. */
const OWN_ANSWER_MS = 1_000
/** Time for which a resolver that gave no answer is not asked again, in ms. */
const SILENT_MS = 30_000

/** The resolver has given an address: a name that it does not answer is slow, and the resolver is not silent. */
let hasAnswered = false
let isSilent = false

/** Addresses of a name as this host resolves it; none where it cannot in time. */
const ownAnswer = async (name: string, group: string, signal: AbortSignal) => {
  if (isSilent) return []
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener("abort", abort, { once: true })
  const timer = startTimer(OWN_ANSWER_MS, () => {
    if (!hasAnswered) {
      isSilent = true
      startTimer(SILENT_MS, () => (isSilent = false))
    }
    controller.abort(new Refusal("unresolved", "this host's resolver is silent"))
  })
  try {
    const found = await addressesOf(name, group, controller.signal)
    hasAnswered = true
    return found
  } catch {
    return []
  } finally {
    timer.cancel()
    signal.removeEventListener("abort", abort)
  }
}

/**
 * Refuses a name that would lead into the private network behind a proxy: by its ending, and by this host's own answer where its resolver
 * gives one.
 */
export const refusePrivate = async (name: string, group: string, signal: AbortSignal) => {
  const ending = PRIVATE_ENDINGS.find((one) => name.endsWith(`.${one}`))
  if (ending !== undefined) {
    throw new Refusal("denied", `${name} is a name of private networks, and the proxy would resolve it`)
  }
  const found = await ownAnswer(name, group, signal)
  const kinds = found.map((text) => {
    const address = readAddress(text)
    return address === undefined ? "no plain address" : deniedRangeOf(address)?.kind
  })
  if (kinds.length > 0 && kinds.every((kind) => kind !== undefined)) {
    throw new Refusal(
      "denied",
      `${name} resolves to ${found[0]}, which is ${kinds[0]}, and the proxy would connect to it`
    )
  }
}
