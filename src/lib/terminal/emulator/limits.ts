import type { IFunctionIdentifier, Terminal } from "@xterm/headless"

/** Parameters of a control sequence. Sub-parameters play no part. */
interface Params {
  readonly params: Int32Array
}

/** The emulator's internal API. It parses synchronously, and handlers can change the parameters. */
interface Core {
  readonly writeSync: (data: string) => void
  readonly registerCsiHandler: (id: IFunctionIdentifier, handler: (params: Params) => boolean) => unknown
}

export const coreOf = (terminal: Terminal) => (terminal as unknown as { readonly _core: Core })._core

/** Cells that sequences may change in one write: some 50 ms. A write of ordinary programs changes a hundredth of them. */
const WRITE_CELLS = 8_000_000

/** Private modes whose switch clears a whole screen. */
const SCREEN_MODES = [3, 47, 1047, 1049]

/** Cost of a full reset in cells, besides the cells of both screens. */
const RESET_CELLS = 10_000

/**
 * Bounds the work and the memory of a few bytes of hostile output. A count of 2147483647, for which the emulator would loop, counts
 * as the size of the screen. Sequences that change much of the screen are ignored beyond the limit of one write. The result
 * begins a write.
 */
export const boundWork = (terminal: Terminal): () => void => {
  const core = coreOf(terminal)
  let left = WRITE_CELLS
  /** Whether a sequence exceeds the limit, and so is ignored. */
  const spend = (cells: number) => {
    left -= cells
    return left < 0
  }
  const screen = () => terminal.cols * terminal.rows
  const counted = (finals: string, most: () => number, cellsEach: () => number) => {
    for (const final of finals) {
      core.registerCsiHandler({ final }, ({ params }) => {
        const count = Math.min(params[0] ?? 0, most())
        params[0] = count
        return spend(Math.max(1, count) * cellsEach())
      })
    }
  }
  // Insert and delete lines, scroll up and down: a cell costs as much as some twenty plain cells.
  counted("LMST", () => terminal.rows, () => 20 * terminal.cols)
  // Forward and backward tabs.
  counted("IZ", () => terminal.cols, () => 1)
  // Repeat the character before, with its combining marks.
  counted("b", screen, () => 12)
  // Insert and delete columns, scroll left and right: whatever the count, each cell moves.
  for (const [intermediates, finals] of [["'", "}~"], [" ", "@A"]] as const) {
    for (const final of finals) core.registerCsiHandler({ intermediates, final }, () => spend(2 * screen()))
  }
  // Erase, with protected characters and without.
  core.registerCsiHandler({ final: "J" }, () => spend(screen()))
  core.registerCsiHandler({ prefix: "?", final: "J" }, () => spend(screen()))
  for (const final of "hl") {
    core.registerCsiHandler(
      { prefix: "?", final },
      ({ params }) => SCREEN_MODES.some((mode) => params.includes(mode)) && spend(2 * screen())
    )
  }
  terminal.parser.registerEscHandler({ final: "c" }, () => spend(2 * screen() + RESET_CELLS))
  terminal.parser.registerEscHandler({ intermediates: "#", final: "8" }, () => spend(screen()))
  // The emulator remembers each hyperlink for as long as its line is there, and no reader asks for links.
  terminal.parser.registerOscHandler(8, () => true)
  return () => {
    left = WRITE_CELLS
  }
}
