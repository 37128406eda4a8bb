import type { ReactNode } from "react"

/** A button that opens and closes what stands below it. `controls` is the id of that. */
export const Opener = ({ children, controls, isOpen, setOpen }: {
  readonly controls: string
  readonly isOpen: boolean
  readonly setOpen: (isOpen: boolean) => void
  readonly children: ReactNode
}) => (
  <button
    type="button"
    className="opener"
    aria-expanded={isOpen}
    aria-controls={controls}
    onClick={() => setOpen(!isOpen)}
  >
    <span aria-hidden="true" className="arrow">{isOpen ? "▾" : "▸"}</span>
    {children}
  </button>
)
