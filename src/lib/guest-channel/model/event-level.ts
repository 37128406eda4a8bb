/** Severity of an EVENT, by its number (`enum event_level` of the agent). */
export const EventLevel = { info: 1, warning: 2, error: 3 } as const
export type EventLevel = keyof typeof EventLevel
