import { Array as Arr, Effect, Stream } from "effect"
import type { DoctorEvent, DoctorLine } from "../../../contract/rows/host.ts"

/** A finding that needs nothing done. */
export const fine = (name: string, found: string): DoctorLine => ({ name, ok: true, found })

/** A finding that keeps pyro from working, or from working well, and its fix. */
export const wrong = (name: string, found: string, fix: string): DoctorLine => ({ name, ok: false, found, fix })

/** A finding that is no fault, with an improvement. */
export const improvable = (name: string, found: string, fix: string): DoctorLine => ({
  name,
  ok: true,
  found,
  fix
})

/** Findings one after the other. A check runs when its turn comes. */
export const inOrder = <E, R>(
  ...checks: ReadonlyArray<Effect.Effect<DoctorLine | ReadonlyArray<DoctorLine>, E, R>>
): Stream.Stream<DoctorLine, E, R> =>
  Stream.flattenIterable(Stream.mapEffect(Stream.fromIterable(checks), Effect.map(Arr.ensure)))

/** The finding on one line: a program may have printed several. */
export const lineEvent = (line: DoctorLine): DoctorEvent => ({
  _tag: "Line",
  ...line,
  found: line.found.trim().replaceAll(/\s*\n\s*/g, "; ")
})
