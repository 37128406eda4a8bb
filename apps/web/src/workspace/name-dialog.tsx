import { useEffect, useId, useRef, useState } from "react"
import { Dialog } from "../parts/dialog.tsx"

/** Asks for a name, which may be left empty if `isOptional`. The proposed name is selected, so that typing replaces it. */
export const NameDialog = ({ act, close, first, isOptional = false, label, title }: {
  readonly title: string
  readonly label: string
  readonly first: string
  readonly isOptional?: boolean
  readonly act: (name: string) => void
  readonly close: () => void
}) => {
  const [name, setName] = useState(first)
  const field = useId()
  const input = useRef<HTMLInputElement>(null)
  // The dialog, a child, is open before this effect runs.
  useEffect(() => input.current?.select(), [])
  return (
    <Dialog title={title} close={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          close()
          act(name.trim())
        }}
      >
        <p>
          <label htmlFor={field}>{label}</label>
          <input
            ref={input}
            id={field}
            value={name}
            required={!isOptional}
            maxLength={63}
            autoComplete="off"
            onChange={({ target }) => setName(target.value)}
          />
        </p>
        <div className="buttons">
          <button type="button" onClick={close}>Cancel</button>
          <button type="submit" className="primary">{title}</button>
        </div>
      </form>
    </Dialog>
  )
}
