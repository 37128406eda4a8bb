import { startTimer } from "../../system/waits/timer.ts"
import { ownAddressesOnce } from "../address.ts"
import { judgeAddress } from "../judge.ts"
import { Refusal } from "./refusal.ts"
import { addressesOf, NoAddress } from "./resolve.ts"

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

/** Addresses of a name as this host resolves it; none without an answer in time. */
const ownAnswer = async (name: string, group: string, signal: AbortSignal) => {
  if (isSilent) return []
  const controller = new AbortController()
  const abort = () => controller.abort(signal.reason)
  signal.addEventListener("abort", abort, { once: true })
  const timer = startTimer(
    OWN_ANSWER_MS,
    () => controller.abort(new Refusal("unresolved", "this host's resolver is silent"))
  )
  try {
    const found = await addressesOf(name, group, controller.signal)
    hasAnswered = true
    return found
  } catch (error) {
    if (!hasAnswered && !signal.aborted && !(error instanceof NoAddress)) {
      isSilent = true
      startTimer(SILENT_MS, () => (isSilent = false))
    }
    return []
  } finally {
    timer.cancel()
    signal.removeEventListener("abort", abort)
  }
}

/**
 * Whether a name belongs to this host's own networks: this host resolves it to special addresses alone. A proxy must not connect to such a
 * name. Refuses a name that only a private network behind the proxy can resolve.
 */
export const isInside = async (name: string, group: string, signal: AbortSignal): Promise<boolean> => {
  const found = await ownAnswer(name, group, signal)
  const own = ownAddressesOnce()
  const isSpecial = (text: string) => judgeAddress({ allowIps: [] }, text, 0, own)._tag === "Denied"
  if (found.length > 0 && found.every(isSpecial)) return true
  if (found.length === 0 && PRIVATE_ENDINGS.some((ending) => name.endsWith(`.${ending}`))) {
    throw new Refusal("denied", `${name} is a name of private networks, and the proxy would resolve it`)
  }
  return false
}
