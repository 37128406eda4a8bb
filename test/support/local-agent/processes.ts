import { Effect } from "effect"
import * as fs from "node:fs"
import {
  isAlive,
  type ProcessIdentity,
  processIdentity,
  signalIdentity
} from "../../../src/system/processes/identity.ts"
import { killIdentity, untilGone } from "../../../src/system/processes/kill-identity.ts"
import { deadlineScale } from "../../../src/system/settings/deadline-scale.ts"

/** How long an agent may take to end by itself: a sanitizer looks for leaks meanwhile. */
const endTimeoutMs = 10_000 * deadlineScale

const namespaceOf = (pid: number | string): string | undefined => {
  try {
    return fs.readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined // the process ended meanwhile
  }
}

/** Processes of the pid namespace that `first` is the first process of, without that one. */
const othersIn = (first: ProcessIdentity): ReadonlyArray<ProcessIdentity> => {
  const namespace = isAlive(first) ? namespaceOf(first.pid) : undefined
  if (namespace === undefined) return []
  return fs.readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === first.pid || namespaceOf(name) !== namespace) return []
    const identity = processIdentity(Number(name))
    return identity === undefined || !isAlive(identity) ? [] : [identity]
  })
}

/** Stops every process of a VM. Processes that start meanwhile are met in a later pass. */
export const stopProcesses = (first: ProcessIdentity): Effect.Effect<void> =>
  Effect.sync(() => {
    const stopped = new Set<number>()
    for (let isNew = true; isNew;) {
      isNew = false
      for (const one of othersIn(first)) {
        if (stopped.has(one.pid)) continue
        signalIdentity(one, "SIGSTOP")
        stopped.add(one.pid)
        isNew = true
      }
    }
  })

/** Lets every process of a VM run. */
export const continueProcesses = (first: ProcessIdentity): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const one of othersIn(first)) signalIdentity(one, "SIGCONT")
  })

const childrenOf = ({ pid }: ProcessIdentity): ReadonlyArray<number> => {
  try {
    return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter((one) => one !== "").map(
      Number
    )
  } catch {
    return []
  }
}

/**
 * Ends a VM: the agent ends its programs and then itself, so that a sanitizer reports. An agent that does not end in time is killed. The
 * first process of the namespace has no child but the agent, which adopts orphans.
 */
export const endProcesses = (first: ProcessIdentity): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* continueProcesses(first)
    for (const pid of childrenOf(first)) {
      const agent = processIdentity(pid)
      if (agent !== undefined) signalIdentity(agent, "SIGTERM")
    }
    yield* Effect.sync(() => isAlive(first)).pipe(
      Effect.repeat({ while: (alive) => alive, schedule: untilGone }),
      Effect.interruptible,
      Effect.timeout(endTimeoutMs),
      Effect.ignore
    )
    yield* killIdentity(first)
  })
