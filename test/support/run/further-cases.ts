import { it } from "vitest"

/** Declares the cases of a suite that only a run of `all` its cases has. */
export const furtherCases = (cases: "all" | "common" | "of the VMM") => (title: string, work: () => Promise<void>) => {
  if (cases === "all") it(title, work)
}
