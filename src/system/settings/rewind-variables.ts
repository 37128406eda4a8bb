const readers = "the daemon, when it starts"

/** Variables about the points that a rewind returns to. A part of `variables`. */
export const rewindVariables = {
  PYRO_REWIND_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 1_073_741_824 },
    unit: "MiB",
    default: 2_048,
    purpose:
      "Maximum disk space of the points of one workspace that `pyro rewind` returns to, and as much again for candidates of its last try that `pyro keep` finds; 0: pyro makes no points and keeps no candidates. The oldest points go first",
    readers
  },
  PYRO_REWIND_EVERY_MS: {
    group: "testing",
    allowed: { kind: "integer", min: 0, max: 3_600_000 },
    unit: "ms",
    default: 3_000,
    purpose: "Time between two points of a workspace that `pyro rewind` returns to, after the first five in a row",
    readers
  }
} as const
