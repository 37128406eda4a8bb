import { onDriver } from "./firecracker.mjs"
import { vitest } from "./vitest.mjs"

/**
 * What of the guest suite depends on the accelerator: capture, restore, disks, memory, and how commands end. Left out is what moves
 * many bytes or starts many VMs: that measures the translator.
 */
const parts = [
  { file: "test/guest/capture.test.ts", leaveOut: [] },
  { file: "test/guest/vm-disks.test.ts", leaveOut: [] },
  { file: "test/guest/run.test.ts", leaveOut: ["8 MiB", "64 MiB", "ten at once"] }
]

/** The guest suite's core on one driver, run by its own runner. */
export const core = (accelerator, seconds, driver) =>
  parts.map(({ file, leaveOut }) => ({
    accelerator,
    user: "dev",
    what: `${file}${leaveOut.length === 0 ? "" : `, without ${leaveOut.join(", ")}`}`,
    seconds,
    check: onDriver(driver, vitest("guest", [file], { leaveOut }))
  }))
