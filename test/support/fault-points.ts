/** How a workspace is found after the crash: as it was before the step, as after it, or not at all. */
export type Found = "before" | "after" | "gone"

/** Every place where a lifecycle step can be cut short, in the order of the step. */
export const points: Readonly<Record<string, Found>> = {
  "create:announced": "gone",
  "create:secrets": "gone",
  "create:disk": "gone",
  "create:held": "gone",
  "create:built": "gone",
  "create:committed": "after",
  "stop:handed-over": "before",
  "stop:committed": "after",
  "stop:settled": "after",
  "start:built": "before",
  "start:committed": "after",
  "reset:disk": "before",
  "reset:built": "before",
  "reset:handed-over": "before",
  "reset:committed": "after",
  "reset:settled": "after",
  "grow:linked": "before",
  "grow:committed": "after",
  "secrets:written": "after",
  "secrets:bound": "after",
  "network:committed": "after",
  "network:changed": "after",
  "service:recorded": "after",
  "service:journaled": "after",
  "service:started": "after",
  "service-stop:asked": "after",
  "adopt:built": "before",
  "died:settled": "after",
  "delete:committed": "gone",
  "delete:settled": "gone",
  "delete:forgotten": "gone",
  "compare:staged": "before",
  "snapshot:announced": "before",
  "take:layer": "before",
  "take:paused": "before",
  "take:captured": "before",
  "diff:state": "before",
  "diff:taken": "before",
  "snapshot:committed": "after",
  "snapshot-delete:hidden": "after",
  "save:announced": "before",
  "save:taken": "before",
  "save:committed": "after",
  "saved-delete:hidden": "after",
  "import:announced": "before",
  "import:taken": "before",
  "import:committed": "after",
  "create-from:announced": "gone",
  "create-from:staged": "gone",
  "create-from:built": "gone",
  "create-from:committed": "after",
  "create-from:settled": "after",
  "flatten:merged": "before",
  "flatten:linked": "before",
  "flatten:committed": "after",
  "fork:announced": "gone",
  "fork:staged": "gone",
  "fork:built": "gone",
  "fork:committed": "after",
  "fork:settled": "after",
  "reset-to:disk": "before",
  "reset-to:built": "before",
  "reset-to:committed": "after",
  "reset-to:settled": "after"
}

export const pointsOf = (step: string) => Object.keys(points).filter((point) => point.startsWith(`${step}:`))

/** The last point at which a step is undone, and the first at which it is done: a crash between them decides. */
export const commitPointsOf = (step: string) => {
  const all = pointsOf(step)
  const done = all.findIndex((point) => points[point] === "after")
  return done < 0 ? all.slice(-1) : all.slice(Math.max(done - 1, 0), done + 1)
}
