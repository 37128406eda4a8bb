import type { VmTrouble } from "../../vm/Vm.ts"

/** Reason why a guest cannot run now, or the news that it continues, for a person. */
export const troubleText = (trouble: VmTrouble): string =>
  trouble === "no-space"
    ? "the host's disk is full: the guest stands still and goes on when there is room"
    : trouble === "none"
    ? "there is room on the host's disk again: the guest goes on"
    : "the host's disk failed under the guest: what it wrote may be lost"

/** Notice when a silent or paused guest continues. */
export const goesOnText = "the guest goes on"

/** Detail of a workspace whose guest's agent sends nothing. */
export const silentText =
  "the guest does not answer: stop and start the workspace to keep the files, or reset it to discard them"
