/** The argument by which pyro's program becomes the daemon; scripts/build/entry.cjs knows it too. */
export const DAEMON = "__daemon"

/**
 * Most that each half of V8's young generation may be, in MiB. The requests of a busy moment would fill 16, and give nothing back: a
 * daemon with 20 workspaces is 30 to 40 MiB smaller, for a few ms more of collecting with each that is made. V8 takes it from its command
 * line alone.
 */
const SEMI_SPACE_MIB = 4

/** What becomes the daemon of a built command of pyro's. */
export const daemonCommand = (program: string): readonly [string, ...ReadonlyArray<string>] => [
  process.execPath,
  `--max-semi-space-size=${SEMI_SPACE_MIB}`,
  program,
  DAEMON
]
