/** When a button's work has ended: at once, and after the workspace's next events, which may take the button away. */
const LOOKS_MS = [50, 500, 1500]

/**
 * Keeps the keyboard's place over a step: a button that is disabled or goes away loses the focus, and the next Tab would begin at the top of the
 * page. Gives what to call at the end of the step.
 */
export const keepPlace = (): () => void => {
  const before = document.activeElement
  const look = () => {
    if (document.activeElement !== document.body) return
    if (before instanceof HTMLElement && before !== document.body) before.focus({ preventScroll: true })
    if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true })
  }
  return () => LOOKS_MS.forEach((ms) => setTimeout(look, ms))
}
