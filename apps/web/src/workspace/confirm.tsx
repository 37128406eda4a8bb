import { type FormEvent, useId, useState } from "react"
import type { WorkspaceInfo } from "../../../../src/contract/rows/workspace-info.ts"
import { useLoaded } from "../live/loaded.ts"
import { Dialog } from "../parts/dialog.tsx"
import { Text } from "../parts/text.tsx"
import { unexported } from "./unexported.ts"

/**
 * Asks before a step that loses something. The person types the workspace's name if the step loses changes that were never exported.
 */
export const Confirm = ({ act, close, of, says, title }: {
  readonly of: WorkspaceInfo
  readonly title: string
  readonly says: string
  readonly act: () => void
  readonly close: () => void
}) => {
  const { value } = useLoaded(`${of.id} ${title}`, () => unexported(of))
  const [typed, setTyped] = useState("")
  const field = useId()
  const name = of.name ?? of.id
  const mayAct = value !== undefined && (!value.isLost || typed === name)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!mayAct) return
    close()
    act()
  }
  return (
    <Dialog title={title} close={close}>
      <form onSubmit={submit}>
        <p>{says}</p>
        <p role="status">
          {value?.says ?? "Looking for changes that are not exported…"}
        </p>
        {value?.isLost !== true ? null : (
          <p>
            <label htmlFor={field}>
              Type{" "}
              <code>
                <Text of={name} />
              </code>{" "}
              to go on:
            </label>
            <input id={field} value={typed} autoComplete="off" onChange={({ target }) => setTyped(target.value)} />
          </p>
        )}
        <div className="buttons">
          <button type="button" onClick={close}>Cancel</button>
          <button type="submit" className="danger" disabled={!mayAct}>{title}</button>
        </div>
      </form>
    </Dialog>
  )
}
