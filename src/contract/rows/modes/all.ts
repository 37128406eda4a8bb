import { coldStart } from "./cold-start.ts"
import { inspect } from "./inspect.ts"
import type { Mode } from "./mode.ts"
import { reproFix } from "./repro-fix.ts"
import { reviewEval } from "./review-eval.ts"

/** Modes of `pyro mcp serve`. A mode is one file and one line here. */
export const modes = [reproFix, inspect, coldStart, reviewEval] as const
export type ModeName = typeof modes[number]["name"]

/** Names by which people choose a mode, in the order of the table. */
export const modeNames = modes.map(({ name }) => name) as unknown as readonly [ModeName, ...ReadonlyArray<ModeName>]

export const modeOf = (name: string | undefined): Mode<ModeName> | undefined => modes.find((one) => one.name === name)
