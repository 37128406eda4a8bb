import { useState } from "react"
import type { Form } from "./hunks.tsx"

const KEY = "pyro-diff-form"

const kept = (): Form => {
  try {
    const value = localStorage.getItem(KEY)
    return value === "inline" || value === "split" ? value : innerWidth >= 1_100 ? "split" : "inline"
  } catch {
    return "inline"
  }
}

/** How diffs look. The browser remembers it. */
export const useForm = () => {
  const [form, setForm] = useState(kept)
  const choose = (next: Form) => {
    setForm(next)
    try {
      localStorage.setItem(KEY, next)
    } catch {
      // A browser without storage forgets the choice.
    }
  }
  return [form, choose] as const
}

export const FormChoice = ({ form, setForm }: { readonly form: Form; readonly setForm: (form: Form) => void }) => (
  <label>
    <span className="unseen">Form of the diff</span>
    <select value={form} onChange={({ target }) => setForm(target.value as Form)}>
      <option value="split">side by side</option>
      <option value="inline">inline</option>
    </select>
  </label>
)
