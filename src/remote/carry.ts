import type { PyroService } from "../contract/rows/Pyro.ts"

/**
 * Pyro on another machine, for callers whose files are on this one: what names a file of this computer is read, packed, judged and written here. Calls
 * that are not here go to the machine as they are, and `refusedPath` refuses their paths.
 */
export const carrying = (pyro: PyroService): PyroService => pyro
