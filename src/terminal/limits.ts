import type { Terminal } from "@xterm/headless"

/** Parameters of a control sequence. Sub-parameters play no part. */
interface Params {
  readonly params: Int32Array
}

/** The emulator's own side, which its public API hides: it parses at once, and handlers see the parameters themselves. */
export interface Core {
  readonly writeSync: (data: string) => void
  readonly registerCsiHandler: (id: { readonly final: string }, handler: (params: Params) => boolean) => unknown
}

export const coreOf = (terminal: Terminal) => (terminal as unknown as { readonly _core: Core })._core

/**
 * Bounds the counts of sequences that the emulator obeys in a loop: a count of 2147483647 takes minutes or gigabytes. A larger count has
 * no other effect than the bound.
 */
export const boundCounts = (terminal: Terminal): void => {
  const core = coreOf(terminal)
  const bound = (finals: string, most: () => number) => {
    for (const final of finals) {
      core.registerCsiHandler({ final }, ({ params }) => {
        params[0] = Math.min(params[0] ?? 0, most())
        return false
      })
    }
  }
  // Insert and delete lines, scroll up and down.
  bound("LMST", () => terminal.rows)
  // Forward and backward tabs.
  bound("IZ", () => terminal.cols)
  // Repeat the character before.
  bound("b", () => terminal.cols * terminal.rows)
}
