/**
 * Most that a patch may have. What `export --patch` writes is bounded by the same numbers as what `patch apply` takes, so that a
 * workspace takes every patch that another one gave.
 */
export const patchLimits = {
  /** With its frame, and as base64, a patch has to fit a message of 16 MiB. */
  bytes: 8 * 1024 * 1024,
  lines: 2_000_000,
  files: 100_000
} as const
