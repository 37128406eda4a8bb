const KIB = 1024
const units = ["KiB", "MiB", "GiB", "TiB"] as const

/** A size for people: three digits at most. */
export const bytesText = (bytes: number): string => {
  if (bytes < KIB) return `${Math.round(bytes)} B`
  let value = bytes / KIB
  let unit = 0
  while (value >= KIB && unit < units.length - 1) {
    value /= KIB
    unit++
  }
  return `${value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}

/** A time span for people. */
export const durationText = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  const seconds = ms / 1_000
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** Time since a moment, as its largest unit. */
export const ageText = (iso: string, nowMs: number): string => {
  const seconds = Math.max(0, (nowMs - Date.parse(iso)) / 1_000)
  if (seconds < 60) return `${Math.floor(seconds)} s`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Time of day of a moment, in the person's zone. */
export const clockText = (iso: string): string => new Date(iso).toLocaleTimeString(undefined, { hour12: false })
