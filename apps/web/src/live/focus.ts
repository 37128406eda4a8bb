/** When a button's work has ended: at once, and after the workspace's next events, which may take the button away. */
const LOOKS_MS = [50, 500, 1500, 4000]

/** Parts of the page that can have the keyboard's place. */
const PARTS = "dialog, article, section, main"

/** The parts around an element, the innermost first. */
const partsAround = (element: Element | null): ReadonlyArray<HTMLElement> => {
  const part = element?.closest<HTMLElement>(PARTS)
  return part == null ? [] : [part, ...partsAround(part.parentElement)]
}

/**
 * Keeps the keyboard's place over a step: a button that is disabled or goes away loses the focus, and the next Tab would begin at the top of the
 * page. Then the part around the button has the place. Gives what to call at the end of the step.
 */
export const keepPlace = (): () => void => {
  const before = document.activeElement
  const around = partsAround(before)
  const look = () => {
    if (document.activeElement !== document.body) return
    if (before instanceof HTMLElement && before !== document.body) before.focus({ preventScroll: true })
    if (document.activeElement !== document.body) return
    const place = around.find(({ isConnected }) => isConnected) ?? document.getElementById("main")
    if (place?.hasAttribute("tabindex") === false) place.tabIndex = -1
    place?.focus({ preventScroll: true })
  }
  return () => LOOKS_MS.forEach((ms) => setTimeout(look, ms))
}
