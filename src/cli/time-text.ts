const UNITS = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]] as const

/** `3 min ago`, for people. */
export const ago = (iso: string, nowMs: number): string => {
  const ms = Math.max(0, nowMs - Date.parse(iso))
  const [unit, letter] = UNITS.find(([unit]) => ms >= unit) ?? [1000, "s"]
  return `${Math.floor(ms / unit)} ${letter} ago`
}

/** How long something took, in the unit that people would use. */
export const duration = (ms: number) =>
  ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`
