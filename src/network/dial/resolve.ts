import { lookup } from "node:dns/promises"
import { Refusal } from "./refusal.ts"
import { Slots } from "./slots.ts"
import { THREADS } from "./threads.ts"

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
export class NoAddress extends Refusal {}

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
