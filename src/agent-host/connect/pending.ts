import { at, type Change, changed, isEqual, isTable, type Json, type Path } from "../format/json.ts"

/** The changes that are none yet in a document; a removal takes along the tables and lists that it leaves empty. */
export const pending = (value: unknown, changes: ReadonlyArray<Change>): ReadonlyArray<Change> => {
  const left: Array<Change> = []
  let current = value
  for (const change of changes) {
    const next = stillNeeded(current, change)
    if (next === undefined) continue
    left.push(next)
    current = changed(current, next)
  }
  return left
}

const hasItem = (list: unknown, item: Json) => Array.isArray(list) && list.some((one) => isEqual(one, item))

const stillNeeded = (value: unknown, change: Change): Change | undefined => {
  const found = at(value, change.path)
  switch (change._tag) {
    case "set":
      return isEqual(found, change.value) ? undefined : change
    case "remove":
      return found === undefined ? undefined : { _tag: "remove", path: withEmptyParents(value, change.path) }
    case "add":
      return hasItem(found, change.item) ? undefined : change
    case "take":
      return !Array.isArray(found) || !hasItem(found, change.item)
        ? undefined
        : found.length === 1
        ? { _tag: "remove", path: withEmptyParents(value, change.path) }
        : change
  }
}

const withEmptyParents = (value: unknown, path: Path): Path => {
  const parent = path.slice(0, -1)
  const [first, ...rest] = parent
  const table = at(value, parent)
  return first !== undefined && isTable(table) && Object.keys(table).length === 1
    ? withEmptyParents(value, [first, ...rest])
    : path
}

/** A place on the way to a change that holds no table. */
export const blocked = (value: unknown, changes: ReadonlyArray<Change>): string | undefined => {
  for (const { _tag, path } of changes) {
    for (let length = 1; length < path.length; length += 1) {
      const found = at(value, path.slice(0, length))
      if (found !== undefined && found !== null && !isTable(found)) return path.slice(0, length).join(".")
    }
    const list = at(value, path) ?? []
    if (_tag === "add" && !Array.isArray(list)) return path.join(".")
  }
  return undefined
}
