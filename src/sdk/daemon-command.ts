export { nodeProgram } from "../system/processes/runtime.ts"

/** Argument that makes pyro's program the daemon; scripts/build/entry.cjs knows it too. */
export const DAEMON = "__daemon"

/**
 * Maximum size of each half of V8's young generation, in MiB. By default, a burst of requests grows a half to 16 MiB, and V8
 * returns none of it. With this limit a daemon with 20 workspaces is 30 to 40 MiB smaller, and each creation takes a few ms more of
 * garbage collection. V8 accepts the limit on its command line only.
 */
const SEMI_SPACE_MIB = 4

/** Command that starts the daemon of a built pyro, on the runtime of this program. */
export const daemonCommand = (program: string): readonly [string, ...ReadonlyArray<string>] => [
  process.execPath,
  `--max-semi-space-size=${SEMI_SPACE_MIB}`,
  program,
  DAEMON
]
