import type { VmTrouble } from "../vm/health.ts"

/** What keeps a guest from running for now, or that it goes on, for a person. */
export const troubleText = (trouble: VmTrouble): string =>
  trouble === "no-space"
    ? "the host's disk is full: the guest stands still and goes on when there is room"
    : trouble === "none"
    ? "there is room on the host's disk again: the guest goes on"
    : "the host's disk failed under the guest: what it wrote may be lost"

/** Said once a guest that did not answer, or stood still, goes on. */
export const goesOnText = "the guest goes on"

/** What a workspace's detail says while its guest's agent sends nothing. */
export const silentText = "the guest does not answer: reset the workspace, or stop and start it to keep the files"
