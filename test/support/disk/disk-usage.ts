import type { DiskUsage } from "../../../src/contract/rows/disk-usage.ts"

/** Use of a disk, for a fake that has none. */
export const someDisk: DiskUsage = {
  usedBytes: 3_145_728,
  evictableBytes: 1_048_576,
  freeBytes: 1_073_741_824,
  uses: [{ what: "seeds", bytes: 1_048_576 }, { what: "workspaces", bytes: 2_097_152 }],
  workspaces: [{ workspace: "ws-0123456789", bytes: 2_097_152 }]
}
