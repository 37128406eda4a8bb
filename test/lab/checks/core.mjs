import { vitest } from "./vitest.mjs"

/**
 * What of the guest suite depends on the accelerator: capture, restore, disks, memory, and how commands end. Left out is what moves
 * many bytes or starts many VMs: that measures the translator.
 */
const parts = [
  { file: "test/guest/capture.test.ts", leaveOut: [] },
  { file: "test/guest/run.test.ts", leaveOut: ["8 MiB", "64 MiB", "ten at once"] }
]

/** The guest suite's core, run by its own runner. */
export const core = (accelerator, seconds) =>
  parts.map(({ file, leaveOut }) => ({
    accelerator,
    user: "dev",
    what: `${file}${leaveOut.length === 0 ? "" : `, without ${leaveOut.join(", ")}`}`,
    seconds,
    check: vitest("guest", [file], leaveOut)
  }))
