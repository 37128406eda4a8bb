import { describe, expect, it } from "@effect/vitest"
import { measureAll } from "../../../bench/attempts.ts"
import { judge, type Row } from "../../../bench/report.ts"
import { table } from "../../../bench/table.ts"

const row = (name: string, ours: number): Row =>
  judge({
    name,
    unit: "ms",
    about: "something",
    budget: { kind: "ratio", atMost: 1.5 },
    floor: [100],
    granted: [],
    ours: [ours]
  })

/** Measures rows that come to these figures, one after the other. */
const measure = async (figures: Readonly<Record<string, ReadonlyArray<number>>>) => {
  const asked: Array<string> = []
  const plans = Object.keys(figures).map((name) => ({ name }))
  const measured = await measureAll(
    plans,
    async ({ name }) => {
      const ours = figures[name]?.[asked.filter((one) => one === name).length]
      asked.push(name)
      if (ours === undefined) throw new Error("no more")
      return row(name, ours)
    },
    () => {},
    async () => void asked.push("quiet")
  )
  return { ...measured, asked }
}

describe("attempts at a row", () => {
  it("the bench measures rows over budget again after all others, and keeps earlier results", async () => {
    const { asked, failed, rows } = await measure({ exec: [160, 155, 140], fork: [120], diff: [200, 110] })
    expect(asked).toEqual(["exec", "fork", "diff", "quiet", "exec", "quiet", "diff", "quiet", "exec"])
    expect(failed).toEqual([])
    expect(rows.map(({ earlier, name, ok, ours }) => ({ name, ok, ours, earlier }))).toEqual([
      { name: "exec", ok: true, ours: 140, earlier: [1.6, 1.55] },
      { name: "fork", ok: true, ours: 120, earlier: [] },
      { name: "diff", ok: true, ours: 110, earlier: [2] }
    ])
    expect(table(rows).split("\n")[1]).toMatch(/ok; before: 1\.60, 1\.55$/)
  })

  it("a row that is over budget in each attempt stays over budget", async () => {
    const { asked, rows } = await measure({ exec: [160, 170, 180, 100] })
    expect(asked.filter((one) => one === "exec")).toHaveLength(3)
    expect(rows).toMatchObject([{ ok: false, ours: 180, earlier: [1.6, 1.7] }])
    expect(table(rows)).toContain("OVER; before: 1.60, 1.70")
  })

  it("the bench reports a row that cannot be measured, and measures the others", async () => {
    const { failed, rows } = await measure({ gone: [], exec: [120], lost: [160] })
    expect(rows.map(({ name, ok }) => ({ name, ok }))).toEqual([{ name: "exec", ok: true }, {
      name: "lost",
      ok: false
    }])
    expect(failed).toEqual(["gone: no more", "lost: no more"])
  })
})
