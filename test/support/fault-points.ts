/** How a workspace is found after the crash: as it was before the step, as after it, or not at all. */
export type Found = "before" | "after" | "gone"

/** Every place where a lifecycle step can be cut short, in the order of the step. */
export const points: Readonly<Record<string, Found>> = {
  "create:announced": "gone",
  "create:disk": "gone",
  "create:held": "gone",
  "create:started": "gone",
  "create:committed": "after",
  "stop:synced": "before",
  "stop:committed": "after",
  "start:started": "before",
  "start:committed": "after",
  "reset:disk": "before",
  "reset:started": "before",
  "reset:committed": "after",
  "reset:cleared": "after",
  "delete:announced": "gone",
  "delete:ended": "gone",
  "delete:forgotten": "gone",
  "compare:staged": "before",
  "snapshot:announced": "before",
  "take:layer": "before",
  "take:paused": "before",
  "take:captured": "before",
  "snapshot:committed": "after",
  "snapshot-delete:hidden": "after",
  "flatten:merged": "before",
  "flatten:linked": "before",
  "flatten:committed": "after",
  "fork:announced": "gone",
  "fork:staged": "gone",
  "fork:started": "gone",
  "fork:committed": "after",
  "reset-to:disk": "before",
  "reset-to:started": "before",
  "reset-to:committed": "after",
  "reset-to:cleared": "after"
}

export const pointsOf = (step: string) => Object.keys(points).filter((point) => point.startsWith(`${step}:`))
