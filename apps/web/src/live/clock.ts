import { makeStore } from "./store.ts"

/** The present time in ms, renewed each few seconds: for ages on the page. */
export const clock = makeStore(Date.now())
setInterval(() => clock.set(Date.now()), 5_000)
