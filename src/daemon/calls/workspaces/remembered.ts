import { isSeen, remembered as remember } from "../../../workspace/entry/requests.ts"
import { formOf, inside, isInside, type WorkWrap } from "./work.ts"

/**
 * Remembers a request until its end: each of a model, and those of people and programs that change something.
 *
 * Needs the request log of the workspace. Stands outside of the wait for a resume or for the lock: the person who watches sees a request that
 * waits. Work with pulls or events goes on after its Effect, and most such events have entries of their own in the log.
 */
export const remembered: WorkWrap = {
  name: "remembered",
  does: "remembers the request and its outcome, for the timeline and the page",
  because: "outside of the waits: the list of requests has one that waits",
  concerns: (row) => isInside(row) && isSeen(row) && ["answer", "notices"].includes(formOf(row) ?? ""),
  around: (row, work) => (payload, at) => remember(row, payload, inside(at).entry.requests)(work(payload, at))
}
