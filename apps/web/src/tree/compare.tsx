import { useMemo, useState } from "react"
import { useLoaded } from "../live/loaded.ts"
import { useStore } from "../live/store.ts"
import { workspaces } from "../live/workspaces.ts"
import { Problem } from "../parts/problem.tsx"
import { DiffView, summaryText, useParts } from "../review/diff-view.tsx"
import { FormChoice, useForm } from "../review/form.tsx"
import { executableMarks } from "../review/marks.ts"
import { ask } from "../wire/calls.ts"
import { WHOLE_DIFF_BYTES } from "../workspace/unexported.ts"

/** What makes one workspace or snapshot another. */
export const Compare = ({ places, title }: {
  /** Names that can be compared, as `compare` takes them, with their text. */
  readonly places: ReadonlyArray<readonly [value: string, text: string]>
  readonly title: string
}) => {
  const [form, setForm] = useForm()
  const all = useStore(workspaces)
  const others = [...all?.values() ?? []]
    .map(({ workspace: { id, name } }) => [id, name ?? id] as const)
    .filter(([id]) => places.every(([value]) => value !== id))
  const choices = [...places, ...others]
  const [from, setFrom] = useState(places[1]?.[0] ?? choices[1]?.[0] ?? places[0]![0])
  const [to, setTo] = useState(places[0]![0])
  const [asked, setAsked] = useState<{ readonly from: string; readonly to: string }>()
  const { failure, isLoading, reload, value } = useLoaded(
    JSON.stringify(asked),
    async () => asked && await ask("workspace.compare", { maxBytes: WHOLE_DIFF_BYTES, ...asked })
  )
  const marks = useMemo(() => executableMarks(value?.files ?? []), [value])
  const parts = useParts(value)
  const choice = (label: string, chosen: string, choose: (value: string) => void) => (
    <label>
      {`${label} `}
      <select value={chosen} onChange={({ target }) => choose(target.value)}>
        {choices.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
    </label>
  )
  return (
    <section aria-labelledby="compare">
      <div className="heading">
        <h2 id="compare">{title}</h2>
        {choice("from", from, setFrom)}
        {choice("to", to, setTo)}
        <button
          type="button"
          disabled={from === to || (asked !== undefined && isLoading)}
          onClick={() => {
            if (asked?.from === from && asked.to === to) reload()
            else setAsked({ from, to })
          }}
        >
          {asked !== undefined && isLoading ? "Comparing…" : "Compare"}
        </button>
        <FormChoice form={form} setForm={setForm} />
        <p role="status" className="faint">{value === undefined ? "" : summaryText(value)}</p>
      </div>
      {failure === undefined ? null : <Problem of={failure} retry={reload} />}
      {value === undefined ? null : value.files.length === 0
        ? <p className="empty">Both have the same files.</p>
        : <DiffView of={value} parts={parts} form={form} executable={marks} />}
    </section>
  )
}
