import type { Row } from "./report.ts"

/** Maximum measurements of a row. */
const ATTEMPTS = 3

const reason = (cause: unknown) => cause instanceof Error ? cause.message : String(cause)

/** The last of several measurements, with the results of the others. */
const following = (before: Row | undefined, row: Row): Row =>
  before === undefined ? row : { ...row, earlier: [...before.earlier, before.ratio ?? before.ours] }

/**
 * Measures every row, and then again those over their budgets, each after `settled`: another user of the host disturbs a figure for
 * minutes. Earlier results stay in the row, since pyro may have caused them. A failed measurement does not stop the others.
 */
export const measureAll = async <Plan extends { readonly name: string }>(
  plans: ReadonlyArray<Plan>,
  measureRow: (plan: Plan) => Promise<Row>,
  say: (line: string) => void,
  settled: () => Promise<void>
) => {
  const rows = new Map<string, Row>()
  const failed = new Map<string, string>()
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const left = attempt === 1 ? plans : plans.filter(({ name }) => rows.get(name)?.ok === false && !failed.has(name))
    for (const plan of left) {
      if (attempt > 1) await settled()
      say(attempt === 1 ? `measuring ${plan.name}` : `measuring ${plan.name} again: it was over its budget`)
      try {
        rows.set(plan.name, following(rows.get(plan.name), await measureRow(plan)))
      } catch (cause) {
        failed.set(plan.name, `${plan.name}: ${reason(cause)}`)
      }
    }
  }
  return { rows: [...rows.values()], failed: [...failed.values()] }
}
