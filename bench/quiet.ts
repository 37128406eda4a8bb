import { timedExec } from "./floors/channel.ts"
import { type Floor, guestRoot } from "./floors/template.ts"
import { timed } from "./measure.ts"
import { inARow } from "./rows/in-a-row.ts"

/** How fast the host is now, by a command of the floor's guest: nothing of pyro's is in it. */
export interface Pace {
  /** Milliseconds of the command now over the least seen in this run. */
  readonly look: () => Promise<number>
}

/** Commands of one look, and as many before them, which translate the guest's code: a second in all. */
const COMMANDS = 100

/** `sample` gives the milliseconds of now. */
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

/** Has a guest of its own only while it looks: another one would be in the figures of memory. */
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
  /** Up to this much more than at best counts as quiet: what is left are the host's own ups and downs. */
  readonly atMost: number
  /** A lull of one look is none. */
  readonly inARow: number
  readonly everyMs: number
  readonly longestMs: number
}

const patience: Patience = { atMost: 1.15, inARow: 3, everyMs: 3_000, longestMs: 300_000 }

/**
 * What waits, each time it is called, until the host is about as fast as it was at best: true then. All times together it waits no
 * longer than `longestMs`.
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
