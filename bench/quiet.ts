import { timedExec } from "./floors/channel.ts"
import { type Floor, guestRoot } from "./floors/template.ts"
import { timed } from "./measure.ts"
import { inARow } from "./rows/in-a-row.ts"

/** Present speed of the host, by a command of the floor's guest, without code of pyro. */
export interface Pace {
  /** Milliseconds of the command now, divided by the minimum of this run. */
  readonly look: () => Promise<number>
}

/** Commands of one measurement, after as many that translate the guest's code: a second in all. */
const COMMANDS = 100

/** `sample` gives the present milliseconds. */
export const paceOf = (sample: () => Promise<number>): Pace => {
  let least = Infinity
  return {
    look: async () => {
      const now = await sample()
      least = Math.min(least, now)
      return now / least
    }
  }
}

/** Has a guest only during a measurement: another guest would count in the figures of memory. */
export const hostPace = (floor: Floor): Pace => {
  const command = "/bin/true"
  const request = timedExec(guestRoot, command)
  return paceOf(async () => {
    const { vm } = await floor.restore(command)
    try {
      const once = () => timed(() => vm.channel.call(request))
      await inARow(once, COMMANDS)
      return await inARow(once, COMMANDS)
    } finally {
      await vm.destroy()
    }
  })
}

export interface Patience {
  /** Maximum ratio of a quiet host: normal variation stays below. */
  readonly atMost: number
  /** Number of quiet measurements in a row. */
  readonly inARow: number
  readonly everyMs: number
  readonly longestMs: number
}

const patience: Patience = { atMost: 1.15, inARow: 3, everyMs: 3_000, longestMs: 300_000 }

/**
 * Returns a function that waits until the host is about as fast as its best, and then gives true. All waits together take at most
 * `longestMs`.
 */
export const makeUntilQuiet = ({ look }: Pace, { atMost, everyMs, inARow, longestMs }: Patience = patience) => {
  let leftMs = longestMs
  return async (): Promise<boolean> => {
    const since = performance.now()
    const left = () => leftMs - (performance.now() - since)
    let quiet = 0
    while (quiet < inARow && left() > 0) {
      await new Promise((resolve) => setTimeout(resolve, everyMs))
      quiet = await look() <= atMost ? quiet + 1 : 0
    }
    leftMs = left()
    return quiet >= inARow
  }
}
