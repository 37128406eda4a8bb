import { assert } from "vitest"

/** An event of a workspace. */
export interface PortEvent {
  readonly kind: string
  readonly details: Readonly<Record<string, unknown>>
}

/** Each beginning and each end of a listener is one event, in turns. */
export const checkTurns = (events: ReadonlyArray<PortEvent>) => {
  const open = new Map<unknown, unknown>()
  for (const { details: { guest_port, host_port }, kind } of events) {
    if (kind === "port_published") {
      assert.isFalse(open.has(guest_port))
      open.set(guest_port, host_port)
    } else if (kind === "port_unpublished") {
      assert.strictEqual(open.get(guest_port), host_port)
      open.delete(guest_port)
    }
  }
  assert.strictEqual(open.size, 0)
}
