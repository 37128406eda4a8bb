import * as path from "node:path"

/** A VM's memory and device state at one moment. */
export interface Frozen {
  readonly memoryPath: string
  readonly statePath: string
  /** What the overlay of its workspace disk then held, where the guest had that mounted. */
  readonly overlayPath?: string | undefined
}

/** Where a folder has them. */
export const frozenIn = (directory: string): Frozen => ({
  memoryPath: path.join(directory, "mem"),
  statePath: path.join(directory, "state")
})

/** And the overlay of the disk, where that is mounted in it. */
export const overlayIn = (directory: string) => path.join(directory, "overlay")
