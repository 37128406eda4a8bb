import { lookup } from "node:dns/promises"
import { startTimer } from "../../../../system/waits/signal.ts"
import { THREADS } from "../../both/dial/protocol.ts"
import { Refusal } from "../../both/dial/refusal.ts"
import { Slots } from "../../both/dial/slots.ts"
import { ownAddressesOnce } from "../../model/address.ts"
import { judgeAddress } from "../../model/judge.ts"

/** Look-ups get half of the threads (`uv__slow_work_thread_threshold` of libuv). */
const slots = new Slots({ limit: THREADS / 2, perGroup: THREADS / 6 })

interface Running {
  readonly addresses: Promise<ReadonlyArray<string>>
  readonly controller: AbortController
  waiters: number
}

const running = new Map<string, Running>()

/** Addresses of a name, as this host's own programs get them. Concurrent look-ups of a group for one name are one. */
export const addressesOf = (name: string, group: string, signal: AbortSignal): Promise<ReadonlyArray<string>> => {
  const key = `${name} ${group}`
  const found = running.get(key) ?? start(key, name, group)
  found.waiters += 1
  return new Promise((resolve, reject) => {
    const abort = () => {
      found.waiters -= 1
      if (found.waiters === 0) found.controller.abort(signal.reason)
      reject(signal.reason)
    }
    if (signal.aborted) return abort()
    signal.addEventListener("abort", abort, { once: true })
    found.addresses.finally(() => signal.removeEventListener("abort", abort)).then(resolve, reject)
  })
}

const start = (key: string, name: string, group: string): Running => {
  const controller = new AbortController()
  const addresses = slots.run(group, controller.signal, () => lookUp(name)).finally(() => running.delete(key))
  const started = { addresses, controller, waiters: 0 }
  running.set(key, started)
  return started
}

/** A resolver says that the name has no address. */
class NoAddress extends Refusal {}

/** Error codes of a resolver's answer that a name has no address. All other codes mean that no resolver answered. */
const NO_ADDRESS = new Set(["ENOTFOUND", "ENODATA"])

const lookUp = async (name: string) => {
  try {
    const found = await lookup(name, { all: true, verbatim: true })
    return [...new Set(found.map(({ address }) => address))]
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException
    if (NO_ADDRESS.has(code)) throw new NoAddress("unresolved", `the name ${name} has no address`)
    throw new Refusal("unresolved", `the name ${name} cannot be resolved: ${code}`)
  }
}

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
