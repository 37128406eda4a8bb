import { isDeepStrictEqual } from "node:util"
import { assert } from "vitest"
import { deadlineScale } from "../../src/system/settings/deadline-scale.ts"
import { lapsed } from "./until.ts"

const LIMIT_MS = 30_000 * deadlineScale

/**
 * What is read has to become what is expected, and fails with the difference otherwise. Processes end, and folders go, behind the back of
 * whoever asked; what is really left stays.
 */
export const settlesAs = async <A>(read: () => A | Promise<A>, expected: A, message?: string) => {
  const end = Date.now() + LIMIT_MS
  while (!isDeepStrictEqual(await read(), expected) && Date.now() < end) await lapsed(50)
  assert.deepStrictEqual(await read(), expected, message)
}

/** What is read once it is the same for half a second. */
export const settled = async <A>(read: () => A | Promise<A>): Promise<A> => {
  const end = Date.now() + LIMIT_MS
  let last = await read()
  for (let same = 0; same < 5 && Date.now() < end;) {
    await lapsed(100)
    const next = await read()
    same = isDeepStrictEqual(next, last) ? same + 1 : 0
    last = next
  }
  return last
}
