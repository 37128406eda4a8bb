import { type ReactNode, useEffect, useId, useRef } from "react"

/** A question in front of the page. Escape, Cancel and a click beside it close it; the focus returns to where it was. */
export const Dialog = ({ children, close, title }: {
  readonly title: string
  readonly close: () => void
  readonly children: ReactNode
}) => {
  const element = useRef<HTMLDialogElement>(null)
  const heading = useId()
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  return (
    <dialog
      ref={element}
      aria-labelledby={heading}
      onClose={close}
      onClick={(event) => {
        if (event.target === element.current) close()
      }}
    >
      <div className="dialog">
        <h2 id={heading}>{title}</h2>
        {children}
      </div>
    </dialog>
  )
}
